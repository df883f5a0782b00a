import { describe, expect, it } from 'vitest';

import {
  escapeOwner,
  type EscapeOwner,
  type IEscapeSituation
} from '../../../src/completion/editor/escape';

const SHOWN: IEscapeSituation = {
  isDismissal: true,
  hasList: false,
  hasTooltip: false,
  isVimInserting: false
};

describe('an Escape', () => {
  it.each<[EscapeOwner, string, Partial<IEscapeSituation>]>([
    ['ghost', 'with ghost text alone', {}],
    ['list', 'with a list over the ghost text', { hasList: true }],
    ['list', 'with a list and no ghost text', { hasList: true, isDismissal: false }],
    ['list', 'with a list and a tooltip', { hasList: true, hasTooltip: true }],
    ['list', 'with a list in the insert mode of vim', { hasList: true, isVimInserting: true }],
    ['tooltip', 'with a tooltip over the ghost text', { hasTooltip: true }],
    [
      'tooltip',
      'with a tooltip in the insert mode of vim',
      { hasTooltip: true, isVimInserting: true }
    ],
    ['other', 'with a tooltip and no ghost text', { hasTooltip: true, isDismissal: false }],
    ['ghost-and-vim', 'with ghost text in the insert mode of vim', { isVimInserting: true }],
    ['other', 'in the insert mode of vim', { isVimInserting: true, isDismissal: false }],
    ['other', 'with nothing to close', { isDismissal: false }]
  ])('is for the %s %s', (owner, _, found) => {
    expect(escapeOwner({ ...SHOWN, ...found })).toBe(owner);
  });
});
