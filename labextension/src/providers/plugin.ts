/** The providers: their tab in the sidebar, and the command that opens it. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { IChannel, IPanels } from '../shared/tokens';

const SECTION = 'providers';
const OPEN = 'localcoder:open-providers';

export const providersPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-localcoder:providers',
  description: 'Manages providers in the sidebar.',
  autoStart: true,
  requires: [IChannel, IPanels],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    channel: IChannel,
    panels: IPanels,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_localcoder');
    panels.add({
      id: SECTION,
      label: trans.__('Providers'),
      rank: 200,
      // Apart, with all that it knows: a page that never opens it loads and asks nothing.
      create: async () => {
        const [{ ProvidersModel }, { ProvidersPanel }] = await Promise.all([
          import('./model'),
          import('./panel')
        ]);
        return new ProvidersPanel(new ProvidersModel(channel, trans), trans);
      }
    });
    app.commands.addCommand(OPEN, {
      label: trans.__('Open the Providers'),
      caption: trans.__('Show the providers in the sidebar: add, test, activate, remove'),
      execute: () => {
        panels.show(SECTION);
      }
    });
    palette?.addItem({ command: OPEN, category: trans.__('LocalCoder') });
  }
};
