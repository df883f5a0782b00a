/** What the start page and its steps are given. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { IChannel } from '../shared/tokens';
import type { StartModel } from './steps';

export interface IStartPageOptions {
  start: StartModel;
  channel: IChannel;
  trans: TranslationBundle;
  /** Show where another server can be added, to answer in place of a model on this machine. */
  openProviders: () => void;
  openNotebook: () => void;
  close: () => void;
}
