/** The states of a worker, in words. */

import type { WorkerState } from '../../contract';
import type { Translate } from './translate';

/** A word for a state of the worker. */
export function stateWord(state: WorkerState, trans: Translate): string {
  switch (state) {
    case 'stopped':
      return trans.__('stopped');
    case 'starting':
      return trans.__('starting');
    case 'loading':
      return trans.__('loading');
    case 'ready':
      return trans.__('ready');
    case 'busy':
      return trans.__('working');
    case 'unloading':
      return trans.__('unloading');
    case 'backoff':
      return trans.__('restarting');
    case 'failed':
      return trans.__('failed');
  }
}
