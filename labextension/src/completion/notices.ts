/** The one sentence of what stands in the way of suggestions, with the way out. */

import { Notification } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';

import type { Translate } from '../shared/text/translate';
import type { Trouble } from './requests/requestGate';

const OPEN_MODELS = 'localcoder:open-models';
const READING_MS = 15_000;

export function tell(trouble: Trouble, commands: CommandRegistry, trans: Translate): void {
  const offersModels = trouble.kind === 'no-model' && commands.hasCommand(OPEN_MODELS);
  Notification.info(sentence(trouble, trans), {
    autoClose: READING_MS,
    actions: offersModels
      ? [
          {
            label: trans.__('Choose a model'),
            displayType: 'accent',
            callback: () => void commands.execute(OPEN_MODELS)
          }
        ]
      : []
  });
}

function sentence(trouble: Trouble, trans: Translate): string {
  switch (trouble.kind) {
    case 'absent':
      return trans.__(
        'Suggestions are unavailable: the LocalCoder server extension is not running. Install ' +
          'jupyter_localcoder in the server environment, and restart the server.'
      );
    case 'no-model':
      return trans.__('Suggestions require a model, but none is installed on this machine yet.');
    case 'refused':
      return `${trouble.error.message} ${trouble.error.recovery}`.trim();
  }
}
