/** Sentences in the language of the person. */

import type { TranslationBundle } from '@jupyterlab/translation';

/** The part of a translation bundle that is used here. */
export type Translate = Pick<TranslationBundle, '__'>;
