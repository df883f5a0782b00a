import { describe, expect, it } from 'vitest';

import { isComposing } from '../../../src/shared/ui/keyboard';

describe('a key', () => {
  it.each([
    ['of a composition', { isComposing: true, keyCode: 13 }, true],
    ['that has ended one, in Safari', { isComposing: false, keyCode: 229 }, true],
    ['of a person', { isComposing: false, keyCode: 13 }, false]
  ])('%s is told apart', (_, event, expected) => {
    expect(isComposing(event)).toBe(expected);
  });
});
