/** Why a text is not written into a notebook, for people. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { IRefusal } from './cellWriter';

/** Why a text is not written into a notebook, and what can be done about it. */
export function refusalText(
  { reason, sentence }: IRefusal,
  trans: TranslationBundle
): { message: string; recovery: string } {
  switch (reason) {
    case 'gone':
      return { message: trans.__('The cell is not there any more.'), recovery: '' };
    case 'locked-cell':
      return {
        message: trans.__('The cell is read-only: its metadata say that it is not to be changed.'),
        recovery: trans.__('Make it editable first, or copy the text.')
      };
    case 'locked-notebook':
      return {
        message: trans.__('The notebook is read-only.'),
        recovery: trans.__('Save it under another name first, or copy the text.')
      };
    case 'empty':
      return {
        message: trans.__('There is no text to put into the notebook, so nothing was changed.'),
        recovery: ''
      };
    case 'stale':
      return {
        message: trans.__(
          'The cell was changed in the meantime, so the suggestion is not put into it.'
        ),
        recovery: ''
      };
    case 'unfit':
      return { message: sentence, recovery: '' };
  }
}

/** The same as one text. */
export function refusalSentence(refusal: IRefusal, trans: TranslationBundle): string {
  const { message, recovery } = refusalText(refusal, trans);
  return `${message} ${recovery}`.trim();
}
