/** What the chat of this page offers to other plugins. */

import { Token } from '@lumino/coreutils';

import type { Reference } from '../../contract';

export interface IChat {
  /** Open the chat with something beside the next question, and the cursor in its box. */
  compose(words: string, references: readonly Reference[]): void;
}

export const IChat = new Token<IChat>(
  'jupyter-localcoder:IChat',
  'The chat in the LocalCoder sidebar.'
);
