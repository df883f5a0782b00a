/** The models: their state for all plugins, their tab in the sidebar, their commands. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { managerText } from '../contract';
import { IChannel, IPanels } from '../shared/tokens';
import { addCommands, SECTION } from './commands';
import { ModelsModel } from './model';
import { IModels } from './token';

export const modelsPlugin: JupyterFrontEndPlugin<ModelsModel> = {
  id: 'jupyter-localcoder:models',
  description: 'Manages the models: in the sidebar, and by commands.',
  autoStart: true,
  provides: IModels,
  requires: [IChannel, IPanels],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    channel: IChannel,
    panels: IPanels,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): ModelsModel => {
    const trans = (translator ?? nullTranslator).load('jupyter_localcoder');
    const model = new ModelsModel(channel, trans);
    addCommands(app, model, panels, palette, trans);
    panels.add({
      id: SECTION,
      label: managerText('models', trans),
      rank: 100,
      // Apart, so that a page that never opens the sidebar does not load what it shows.
      create: async () => {
        const { ModelsPanel } = await import('./panel');
        return new ModelsPanel(model, trans, () => {
          void app.commands.execute('localcoder:start');
        });
      }
    });
    return model;
  }
};
