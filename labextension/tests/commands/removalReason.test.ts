import { describe, expect, it } from 'vitest';

import { removalReason } from '../../src/commands/removalReason';
import { isSplit } from '../../src/commands/target';

const CELL = { id: 'c1', type: 'code', source: 'x = 1' };
const OTHER = { id: 'c2', type: 'code', source: 'y' };

describe('the reason why a cell is gone', () => {
  it.each([
    ['removed', [OTHER], true],
    ['removed', [], false],
    ['moved', [OTHER, CELL], true],
    ['reloaded', [CELL, OTHER], false],
    ['retyped', [{ ...CELL, type: 'markdown' }], false],
    ['merged', [{ id: 'c9', type: 'code', source: 'x = 1\ny' }], false]
  ] as const)('is to be %s', (reason, standing, stay) => {
    expect(removalReason(CELL, standing, stay)).toBe(reason);
  });

  it('is no merge where there was no text, or where the same text stands elsewhere', () => {
    expect(removalReason({ ...CELL, source: '' }, [OTHER], true)).toBe('removed');
    expect(removalReason(CELL, [{ ...CELL, id: 'c7' }], true)).toBe('removed');
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
