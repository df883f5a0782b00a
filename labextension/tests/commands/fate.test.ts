import { describe, expect, it } from 'vitest';

import { fateOf } from '../../src/commands/fate';
import { isSplit } from '../../src/commands/target';

const CELL = { id: 'c1', type: 'code', source: 'x = 1' };
const OTHER = { id: 'c2', type: 'code', source: 'y' };

describe('the fate of a cell', () => {
  it.each([
    ['removed', [OTHER], true],
    ['removed', [], false],
    ['moved', [OTHER, CELL], true],
    ['reloaded', [CELL, OTHER], false],
    ['retyped', [{ ...CELL, type: 'markdown' }], false],
    ['merged', [{ id: 'c9', type: 'code', source: 'x = 1\ny' }], false]
  ] as const)('is to be %s', (fate, standing, stay) => {
    expect(fateOf(CELL, standing, stay)).toBe(fate);
  });

  it('is no merge where there was no text, or where the same text stands elsewhere', () => {
    expect(fateOf({ ...CELL, source: '' }, [OTHER], true)).toBe('removed');
    expect(fateOf(CELL, [{ ...CELL, id: 'c7' }], true)).toBe('removed');
  });
});

describe('a split', () => {
  it.each([
    ['a\nb', 'a', 'b', true],
    ['a\n\n\nb\n', 'a', 'b', true],
    ['a\nb\nc', 'b', 'c', true],
    ['a', 'a', '', true],
    ['a\nb', 'z', 'b', false],
    ['a\nb', 'a', 'B', false],
    ['a\nb', '', 'b', false],
    ['b', 'a', 'a\nb', false]
  ])('of %j into %j and %j: %s', (before, above, after, expected) => {
    expect(isSplit(before, above, after)).toBe(expected);
  });
});
