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
      return { message: trans.__('The cell no longer exists.'), recovery: '' };
    case 'locked-cell':
      return {
        message: trans.__('The cell is read-only according to its metadata.'),
        recovery: trans.__('Make the cell editable first, or copy the text.')
      };
    case 'locked-notebook':
      return {
        message: trans.__('The notebook is read-only.'),
        recovery: trans.__('Save it under another name first, or copy the text.')
      };
    case 'empty':
      return {
        message: trans.__('There is no text to insert, so the notebook was not changed.'),
        recovery: ''
      };
    case 'stale':
      return {
        message: trans.__(
          'The cell was changed in the meantime, so the suggestion was not applied.'
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
