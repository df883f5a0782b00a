/** The queue: its tab in the sidebar, and the commands that open it and end what is in it. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import { CODES } from '../contract';
import { IChannel, IPanels } from '../shared/tokens';
import { Arrivals } from '../shared/ui/arrivals';

const SECTION = 'queue';
const OPEN = 'localcoder:open-queue';
const CANCEL_ALL = 'localcoder:cancel-all';

export const queuePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-localcoder:queue',
  description: 'Shows and cancels running and waiting requests in the sidebar.',
  autoStart: true,
  requires: [IChannel, IPanels, IRenderMimeRegistry],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    channel: IChannel,
    panels: IPanels,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_localcoder');
    panels.add({
      id: SECTION,
      label: trans.__('Queue'),
      rank: 300,
      create: async () => {
        const [{ QueueModel }, { QueuePanel }] = await Promise.all([
          import('./model'),
          import('./panel')
        ]);
        let panel: Widget | null = null;
        const model = new QueueModel(channel, trans, () => panel?.isVisible === true);
        panel = new QueuePanel(model, trans, rendermime);
        return panel;
      }
    });
    // What streams says for itself that it failed; of a queued prompt nobody else tells.
    const failures = new Arrivals(panels, SECTION, trans, 'warning', count =>
      trans._n('A queued prompt was not answered.', '%1 queued prompts were not answered.', count)
    );
    channel.on('response:error', ({ kind, error }) => {
      if (kind === 'queue' && error.code !== CODES.CANCELED) {
        failures.add();
      }
    });
    app.commands.addCommand(OPEN, {
      label: trans.__('Open the Queue'),
      caption: trans.__('Show running and waiting requests in the sidebar'),
      execute: () => {
        panels.show(SECTION);
      }
    });
    app.commands.addCommand(CANCEL_ALL, {
      label: trans.__('Cancel All Requests'),
      caption: trans.__(
        'Cancel all running and waiting requests, including those from other pages'
      ),
      isEnabled: () => channel.state === 'open',
      execute: async () => {
        const { canceledText } = await import('./words');
        try {
          const { count } = await channel.request('llm:cancelAll', {});
          Notification.info(canceledText(count, trans), { autoClose: 4000 });
        } catch (reason) {
          Notification.error(reason instanceof Error ? reason.message : String(reason));
        }
      }
    });
    for (const command of [OPEN, CANCEL_ALL]) {
      palette?.addItem({ command, category: trans.__('LocalCoder') });
    }
  }
};
