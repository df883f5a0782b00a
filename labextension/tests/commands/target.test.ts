import { describe, expect, it } from 'vitest';

import { cellMagicOf, growing, insertedBelow, replaced, targetOf } from '../../src/commands/target';

const SOURCE = 'import os\n\nclass A:\n    def f(self):\n        return 1\n';

describe('the target', () => {
  it('is the cell without a selection, or with a blank one', () => {
    expect(targetOf(SOURCE, 12, 12).code).toBe(SOURCE);
    expect(targetOf(SOURCE, 9, 11).code).toBe(SOURCE);
  });

  it('is the whole lines of a selection, in either direction', () => {
    const from = SOURCE.indexOf('def');
    const to = SOURCE.indexOf('return') + 2;
    const code = '    def f(self):\n        return 1';
    expect(targetOf(SOURCE, from, to).code).toBe(code);
    expect(targetOf(SOURCE, to, from).code).toBe(code);
  });

  it('leaves out a line of which only the beginning was touched', () => {
    expect(targetOf('a\nb\nc', 0, 2).code).toBe('a');
  });
});

describe('the cell with new code', () => {
  it('keeps what is around the target, and its indent', () => {
    const target = targetOf(SOURCE, SOURCE.indexOf('def'), SOURCE.indexOf('return') + 1);
    expect(replaced(SOURCE, target, 'def f(self):\n\n    return 2')).toBe(
      'import os\n\nclass A:\n    def f(self):\n\n        return 2\n'
    );
  });

  it('does not indent twice', () => {
    const target = targetOf(SOURCE, SOURCE.indexOf('def'), SOURCE.indexOf('return') + 1);
    const code = '    def f(self):\n        return 2';
    expect(replaced(SOURCE, target, code)).toBe(SOURCE.replace('return 1', 'return 2'));
  });

  it('keeps blank lines at the ends', () => {
    const source = '\n\nx = 1\n\n';
    expect(replaced(source, targetOf(source, 0, 0), 'x = 2')).toBe('\n\nx = 2\n\n');
  });

  it('has what was generated below the comment', () => {
    const source = 'if x:\n    # add one\n    pass';
    expect(insertedBelow(source, source.indexOf('\n    pass'), 'x += 1')).toBe(
      'if x:\n    # add one\n    x += 1\n    pass'
    );
  });
});

describe('a change that still comes', () => {
  const before = 'a = 1\nb = 2\nc = 3';

  it('is none before its first line', () => {
    expect(growing(before, '')).toBe(before);
  });

  it('has the old lines behind the last that came back', () => {
    expect(growing(before, 'a = 1')).toBe(before);
    expect(growing(before, 'a = 1\nb = 20')).toBe('a = 1\nb = 20\nb = 2\nc = 3');
    expect(growing(before, 'a = 1\nb = 20\nc = 3')).toBe('a = 1\nb = 20\nc = 3');
  });

  it('keeps the magics at the top, once', () => {
    expect(growing('%%bash\nls', 'ls -l')).toBe('%%bash\nls -l\nls');
    expect(growing('\n%cd x\n!ls\na = 1', 'a = 1')).toBe('%cd x\n!ls\na = 1');
    expect(growing('%%bash\nls', '%%bash\nls')).toBe('%%bash\nls');
    expect(growing('\na = 1', 'a = 1')).toBe('a = 1');
  });
});

describe('the cell magic', () => {
  it('is that of the whole cell, and of nothing else', () => {
    expect(cellMagicOf('%%bash --out x\nls')).toBe('%%bash --out x');
    expect(cellMagicOf('\n%%time\n%%html\n<p>')).toBe('%%time\n%%html');
    expect(cellMagicOf('%time x\n%%bash')).toBe('');
    expect(cellMagicOf('x = 1')).toBe('');
  });
});
