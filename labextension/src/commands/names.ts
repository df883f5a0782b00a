/** The commands on cells: their ids, words and how their answers are shown. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { CHANGES, type Command, COMMANDS } from '../contract';

export type CellCommand = Exclude<Command, 'prompt'>;

export const CommandIDs = {
  menu: 'localcoder:cell-menu',
  explain: 'localcoder:explain',
  improve: 'localcoder:improve',
  fix: 'localcoder:fix',
  document: 'localcoder:document',
  test: 'localcoder:test',
  generate: 'localcoder:generate',
  private: 'localcoder:private-commands'
} as const;

export const CELL_COMMANDS: readonly CellCommand[] = COMMANDS.filter(
  command => command !== 'prompt'
);

/** Commands whose answer is shown as a change of the cell; that of the others is text beside it. */
export const SHOWN_AS_CHANGES: ReadonlySet<Command> = new Set<Command>([...CHANGES, 'generate']);

export interface IWords {
  label: string;
  caption: string;
}

export function wordsOf(command: CellCommand, trans: TranslationBundle): IWords {
  switch (command) {
    case 'explain':
      return {
        label: trans.__('Explain'),
        caption: trans.__('Explain the selected code or the cell')
      };
    case 'improve':
      return {
        label: trans.__('Improve'),
        caption: trans.__('Suggest clearer or faster code for the selection or the cell')
      };
    case 'fix':
      return {
        label: trans.__('Fix Error'),
        caption: trans.__('Suggest a fix for the error in the output of the cell')
      };
    case 'document':
      return {
        label: trans.__('Document'),
        caption: trans.__('Suggest docstrings and comments for the selection or the cell')
      };
    case 'test':
      return {
        label: trans.__('Write Tests'),
        caption: trans.__('Write tests for the selected code or the cell')
      };
    case 'generate':
      return {
        label: trans.__('Generate from Comment'),
        caption: trans.__('Generate the code that the comment at the cursor describes')
      };
  }
}
