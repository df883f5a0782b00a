/** The history: its tab in the sidebar, and the command that opens it. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import { IChannel, IPanels } from '../shared/tokens';
import { Arrivals } from '../shared/ui/arrivals';

const SECTION = 'history';
const OPEN = 'localcoder:open-history';

export const historyPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-localcoder:history',
  description: 'Lists, searches and opens saved answers in the sidebar.',
  autoStart: true,
  requires: [IChannel, IPanels, IRenderMimeRegistry],
  optional: [INotebookTracker, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    channel: IChannel,
    panels: IPanels,
    rendermime: IRenderMimeRegistry,
    tracker: INotebookTracker | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_localcoder');
    panels.add({
      id: SECTION,
      label: trans.__('History'),
      rank: 400,
      create: async () => {
        const [{ HistoryModel }, { HistoryPanel }] = await Promise.all([
          import('./model'),
          import('./panel')
        ]);
        let panel: Widget | null = null;
        const model = new HistoryModel(channel, trans, () => panel?.isVisible === true);
        panel = new HistoryPanel(model, trans, rendermime, tracker, channel);
        return panel;
      }
    });
    // Commands and chats show their answers themselves; of a queued prompt nobody else tells.
    const arrivals = new Arrivals(panels, SECTION, trans);
    channel.on('response:complete', ({ kind, response_id: id }) => {
      if (kind === 'queue' && id !== '') {
        arrivals.add();
      }
    });
    app.commands.addCommand(OPEN, {
      label: trans.__('Open the History'),
      caption: trans.__('Show the saved answers in the sidebar'),
      execute: () => {
        panels.show(SECTION);
      }
    });
    palette?.addItem({ command: OPEN, category: trans.__('LocalCoder') });
  }
};
