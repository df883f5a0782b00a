/** What the completion of this page offers to other plugins. */

import type { ISessionContext } from '@jupyterlab/apputils';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type { KernelVariable } from '../../contract';

export interface ICompletion {
  /** Switched off by the settings, of this extension or of JupyterLab's inline completer. */
  readonly isOff: boolean;
  /** Off until it is resumed, or the page is loaded again. */
  readonly isPaused: boolean;
  /** Requests that the server works on for this page. */
  readonly running: number;
  /** Speed of the last answer that was long enough to measure it; 0 before that. */
  readonly tokensPerSecond: number;
  /** Any of these has changed. */
  readonly changed: ISignal<ICompletion, void>;
  setPaused(isPaused: boolean): void;
  /** What the kernel of a session knows, as far as it was told: never a value. */
  variablesOf(session: ISessionContext): KernelVariable[];
}

export const ICompletion = new Token<ICompletion>(
  'jupyter-localcoder:ICompletion',
  'State of completion while typing.'
);
