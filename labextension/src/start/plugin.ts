/** Opens the start page: by itself where there is no model, until it was closed once; and by a command. */

import {
  ILabShell,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { DisposableDelegate } from '@lumino/disposable';
import type { Widget } from '@lumino/widgets';

import type { ModelsModel } from '../models';
import { IModels } from '../models/token';
import { SETTINGS_ID } from '../shared/ids';
import { IChannel, IPanels } from '../shared/tokens';
import { logoIcon } from '../shared/ui/icons';

const COMMAND = 'localcoder:start';
/** The section in the sidebar, where there is no main area that could take a page. */
const SECTION = 'start';

export const startPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-localcoder:start',
  description: 'Guides you through the setup of a first model.',
  autoStart: true,
  requires: [IChannel, IModels, IPanels],
  optional: [ILabShell, ISettingRegistry, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    channel: IChannel,
    models: ModelsModel,
    panels: IPanels,
    labShell: ILabShell | null,
    registry: ISettingRegistry | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_localcoder');
    const settings = registry?.load(SETTINGS_ID);

    const makePage = async (close: () => void): Promise<Widget> => {
      const [{ StartPage }, { StartModel }] = await Promise.all([
        import('./page'),
        import('./steps')
      ]);
      const openNotebook = (): void => {
        void app.commands.execute('notebook:create-new');
      };
      const openProviders = (): void => {
        void app.commands.execute('localcoder:open-providers');
      };
      const start = new StartModel(models);
      void models.refresh();
      return new StartPage({ start, channel, trans, openProviders, openNotebook, close });
    };

    let isOpening = false;
    let main: MainAreaWidget | null = null;
    const openInMain = async (shell: ILabShell, isCalledFor: boolean): Promise<void> => {
      if (main) {
        shell.activateById(main.id);
        return;
      }
      if (isOpening) {
        return;
      }
      isOpening = true;
      const content = await makePage(() => main?.close());
      isOpening = false;
      main = new MainAreaWidget({ content });
      main.id = 'jp-LocalCoder-start-main';
      main.title.label = trans.__('Start');
      main.title.caption = trans.__('Set up LocalCoder step by step');
      main.title.icon = logoIcon;
      main.title.closable = true;
      main.disposed.connect(() => {
        main = null;
        // Whoever has closed it has seen it.
        void settings?.then(loaded => loaded.set('showStart', false));
      });
      // Beside what a person has opened, and never in front of it, unless it was called for.
      const current = shell.currentWidget;
      const isFree = current === null || current.id.startsWith('launcher');
      shell.add(main, 'main', { activate: isCalledFor || isFree });
    };

    let section: DisposableDelegate | null = null;
    const openInSidebar = (): void => {
      if (!section) {
        const added = panels.add({
          id: SECTION,
          label: trans.__('Start'),
          rank: 50,
          create: () => makePage(() => section?.dispose())
        });
        section = new DisposableDelegate(() => {
          section = null;
          added.dispose();
        });
      }
      panels.show(SECTION);
    };

    const open = (isCalledFor: boolean): void => {
      if (labShell) {
        void openInMain(labShell, isCalledFor);
      } else {
        openInSidebar();
      }
    };

    app.commands.addCommand(COMMAND, {
      label: trans.__('Set Up Step by Step'),
      caption: trans.__('Choose, download and try a first model'),
      icon: logoIcon,
      execute: () => {
        open(true);
      }
    });
    palette?.addItem({ command: COMMAND, category: trans.__('LocalCoder') });

    if (labShell && settings) {
      void Promise.all([settings, app.restored, firstList(models)]).then(([loaded]) => {
        const isEmpty = models.list?.models.every(({ state }) => state !== 'ready') === true;
        if (isEmpty && loaded.get('showStart').composite !== false) {
          open(false);
        }
      });
    }
  }
};

/** Wait until the service has told its models; for ever, where it is not there. */
function firstList(models: ModelsModel): Promise<void> {
  return new Promise(resolve => {
    const look = (): void => {
      if (models.list) {
        models.changed.disconnect(look);
        resolve();
      }
    };
    models.changed.connect(look);
    look();
  });
}
