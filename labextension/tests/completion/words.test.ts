import { describe, expect, it } from 'vitest';

import schema from '../../schema/plugin.json';
import { spoken } from '../../src/completion/editor/announcer';
import {
  isMultiline,
  isNewLine,
  isWorthAsking,
  lineAfter,
  lineBefore
} from '../../src/completion/editor/cursorText';
import { languageName } from '../../src/completion/editor/language';
import { nextLine, nextWord } from '../../src/completion/editor/pieces';
import { isOffIn, setOffIn } from '../../src/completion/notebook/consent';
import { DEFAULTS, readOptions } from '../../src/completion/options';
import { trans } from '../fakes';

describe('the pieces of a suggestion', () => {
  function pieces(text: string, next: (text: string) => string): string[] {
    const found: string[] = [];
    for (let rest = text; rest !== ''; rest = rest.slice(found.at(-1)?.length)) {
      const piece = next(rest);
      expect(piece).not.toBe('');
      found.push(piece);
    }
    return found;
  }

  it.each([
    ['foo.bar(x)', ['foo', '.bar', '(x', ')']],
    ['  head(5)', ['  head', '(5', ')']],
    ['\n    return 1', ['\n    return', ' 1']],
    ['größe += 1', ['größe', ' +=', ' 1']],
    ['"😀 日本語"', ['"😀', ' 日本語', '"']],
    ['x\n', ['x', '\n']]
  ])('are the words of %j', (text, words) => {
    expect(pieces(text, nextWord)).toEqual(words);
  });

  it.each([
    ['a = 1', ['a = 1']],
    ['a = 1\nb = 2', ['a = 1', '\nb = 2']],
    ['\n\n  c\n', ['\n\n  c', '\n']]
  ])('are the lines of %j', (text, lines) => {
    expect(pieces(text, nextLine)).toEqual(lines);
  });
});

describe('the place of the cursor', () => {
  it('has a line before and a line after', () => {
    expect(lineBefore('a\nb c')).toBe('b c');
    expect(lineBefore('b')).toBe('b');
    expect(lineAfter('d e\nf')).toBe('d e');
    expect(lineAfter('')).toBe('');
  });

  it('is a new line where nothing stands on it', () => {
    expect(isNewLine('if x:\n    ', '\nelse:')).toBe(true);
    expect(isNewLine('if x:\n    y', '')).toBe(false);
    expect(isNewLine('if x:\n    ', ' y')).toBe(false);
  });

  it.each([
    ['imp', '', 2, true],
    ['i', '', 2, false],
    [' \n i ', '', 2, false],
    ['i m', '', 2, true],
    ['', '', 0, true],
    ['import nu', 'mpy', 2, false],
    ['größ', 'e', 2, false],
    ['df[', ']', 2, true],
    ['df.', 'head', 2, true]
  ])('%j|%j is worth asking at with a minimum of %i: %s', (prefix, suffix, minimum, is) => {
    expect(isWorthAsking(prefix, suffix, minimum)).toBe(is);
  });

  it.each([
    ['def f(x):', '', true],
    ['def f(x):\n    ', '', true],
    ['def f(x):\n    ', '\n\nf(1)', true],
    ['a = [', '', true],
    ['# the mean of x', '', true],
    ['a = b', '', false],
    ['print(', ')', false],
    ['def f(', '):', false]
  ])('%j|%j asks for several lines: %s', (prefix, suffix, is) => {
    expect(isMultiline(prefix, suffix, 'auto', false)).toBe(is);
  });

  it('asks for several lines on demand, but not where code follows', () => {
    expect(isMultiline('a = b', '', 'auto', true)).toBe(true);
    expect(isMultiline('print(', ')', 'auto', true)).toBe(false);
  });

  it('asks for what the settings say', () => {
    expect(isMultiline('def f(x):', '', 'single', true)).toBe(false);
    expect(isMultiline('a = ', 'b', 'multiple', false)).toBe(true);
  });
});

describe('a language', () => {
  it.each([
    ['text/x-ipython', 'ipython', 'python'],
    ['text/x-python', 'Python', 'python'],
    ['text/x-ipythongfm', 'ipythongfm', 'markdown'],
    ['text/x-markdown', 'Markdown', 'markdown'],
    ['text/plain', 'none', 'text'],
    ['text/x-rsrc', 'r', 'r'],
    ['text/x-julia', undefined, 'julia'],
    ['text/x-c++src', 'C++', 'c++'],
    ['', null, 'text']
  ])('of the type %j, called %j, is %s', (mimeType, name, language) => {
    expect(languageName(mimeType, name)).toBe(language);
  });
});

describe('the options', () => {
  it('have the defaults of the schema', () => {
    const properties: Record<string, { default: unknown }> = schema.properties;
    const defaults = Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, property.default])
    );
    expect(readOptions(defaults)).toEqual(DEFAULTS);
    expect(readOptions({})).toEqual(DEFAULTS);
  });

  it('are read from the settings', () => {
    expect(
      readOptions({
        completionMode: 'off',
        completionLines: 'single',
        completionAtNewLines: false,
        completionMinimumPrefix: 5,
        completionTypingDelay: 150,
        completionAlternatives: 0,
        completionLanguagesOff: [' SQL'],
        kernelKnowledge: false,
        dataFrameHeads: true,
        warmAhead: false,
        completionLookAhead: false,
        announceCompletions: false
      })
    ).toEqual({
      mode: 'off',
      lines: 'single',
      newLines: false,
      minimumPrefix: 5,
      typingDelayMs: 150,
      alternatives: 1,
      languagesOff: new Set(['sql']),
      kernelKnowledge: false,
      dataFrameHeads: true,
      warmAhead: false,
      lookAhead: false,
      announce: false
    });
  });

  it('take the default for nonsense', () => {
    expect(
      readOptions({ completionMode: 7, completionMinimumPrefix: -1, warmAhead: 'no' })
    ).toEqual(DEFAULTS);
  });
});

describe('the metadata of a notebook', () => {
  function notebook(metadata: Record<string, unknown>) {
    return {
      metadata,
      getMetadata: (key: string) => metadata[key],
      setMetadata: (key: string, value: unknown) => {
        metadata[key] = value;
      },
      deleteMetadata: (key: string) => {
        // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
        delete metadata[key];
      }
    };
  }

  it('switches suggestions off and leaves no trace when it is on again', () => {
    const plain = notebook({});
    expect(isOffIn(plain)).toBe(false);
    setOffIn(plain, true);
    expect(plain.metadata).toEqual({ localcoder: { completion: false } });
    expect(isOffIn(plain)).toBe(true);
    setOffIn(plain, false);
    expect(plain.metadata).toEqual({});
  });

  it('keeps what else stands there', () => {
    const other = notebook({ localcoder: { seed: 7 } });
    setOffIn(other, true);
    setOffIn(other, false);
    expect(other.metadata).toEqual({ localcoder: { seed: 7 } });
  });

  it.each([undefined, null, 7, 'off', { completion: 'false' }])('that is %j means yes', found => {
    expect(isOffIn(notebook({ localcoder: found }))).toBe(false);
    expect(isOffIn(null)).toBe(false);
  });
});

describe('what a screen reader says', () => {
  it('is the first line, and how many follow', () => {
    expect(spoken('  x = 1', trans)).toBe('Suggestion: x = 1');
    expect(spoken('\n  x\n\n  y\n', trans)).toBe('Suggestion: x, and one more line');
    expect(spoken('x\ny\nz', trans)).toBe('Suggestion: x, and 2 more lines');
    expect(spoken('\n ', trans)).toBe('');
    expect(spoken('f(', trans, 'syntax')).toBe('Suggestion: f(. It would cause a syntax error');
    expect(spoken('df["x"]', trans, 'columns')).toContain('a column that the data frame does not');
  });
});
