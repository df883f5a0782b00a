import { describe, expect, it } from 'vitest';

import { codeOf, codeSoFar, fenced, fences } from '../../../src/shared/answers/fences';

describe('the code of an answer', () => {
  it('is the block, without prose around it', () => {
    expect(codeOf('Here:\n```python\nx = 1\n\ny = 2\n```\nDone.', 'python')).toBe('x = 1\n\ny = 2');
  });

  it('is the whole answer where there is no fence', () => {
    expect(codeOf('\nx = 1\n', 'python')).toBe('x = 1');
  });

  it('is the longest block in the language, and of any where none is', () => {
    const answer = '```bash\na very long command line\n```\n```py\nx = 1\n```\n```\nxy = 12\n```';
    expect(codeOf(answer, 'python')).toBe('xy = 12');
    expect(codeOf(answer, 'r')).toBe('xy = 12');
    expect(codeOf(answer, 'bash')).toBe('a very long command line');
  });

  it('keeps three backticks inside four, and tildes apart from backticks', () => {
    expect(codeOf('````python\ns = """\n```\n"""\n````', 'python')).toBe('s = """\n```\n"""');
    expect(codeOf('~~~python\n```\n~~~', 'python')).toBe('```');
  });

  it('loses the indent of a list item, and no more', () => {
    expect(codeOf('1. ```python\n   if x:\n       y\n   ```', 'python')).toBe('if x:\n    y');
  });
});

describe('the code of an answer that still comes', () => {
  it('grows by whole lines, and never shows a fence', () => {
    const answer = 'Sure!\n```python\nx = 1\ny = 2\n```\nThat is all.';
    const seen = new Set<string>();
    for (let end = 0; end <= answer.length; end++) {
      seen.add(codeSoFar(answer.slice(0, end), 'python'));
    }
    expect([...seen]).toEqual(['', 'x = 1', 'x = 1\ny = 2']);
  });

  it('knows an open block', () => {
    expect(fences('```python\nx')).toEqual([{ info: 'python', text: 'x', isClosed: false }]);
  });
});

describe('fencing', () => {
  it.each(['x', '```', 'a ````b'])('holds what is inside: %s', code => {
    const [block, ...others] = fences(fenced(code, 'python'));
    expect(others).toEqual([]);
    expect(block).toEqual({ info: 'python', text: code, isClosed: true });
  });
});
