/** Puts the state of the worker into the status bar, if the settings want it there. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import { COMPLETION_COMMANDS, SETTINGS_ID } from '../shared/ids';
import { IChannel, ICompletion } from '../shared/tokens';
import { Answerers } from './answerers';
import { showDetails } from './details';
import { StatusItem } from './item';
import { openMenu } from './menu';
import { StatusModel } from './model';

const PLUGIN_ID = 'jupyter-localcoder:status';
const DETAILS = 'localcoder:status-details';

export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Shows the state of the local model in the status bar.',
  autoStart: true,
  requires: [IChannel],
  // Notebook 7 has no status bar, and the others may be switched off.
  optional: [ICompletion, IStatusBar, ICommandPalette, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    channel: IChannel,
    completion: ICompletion | null,
    statusBar: IStatusBar | null,
    palette: ICommandPalette | null,
    settingRegistry: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_localcoder');
    const model = new StatusModel(channel);
    app.commands.addCommand(DETAILS, {
      label: trans.__('Show the State of the Local Model'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => showDetails(model, trans)
    });
    palette?.addItem({ command: DETAILS, category: trans.__('LocalCoder') });
    if (!statusBar) {
      return;
    }
    const item = new StatusItem(model, new Answerers(channel), completion, trans, button => {
      const { pause, pauseNotebook, inspect } = COMPLETION_COMMANDS;
      openMenu(
        app.commands,
        [pause, pauseNotebook, DETAILS, inspect, 'localcoder:open-models'],
        button
      );
    });
    // The setting is followed at once; until it is read, its default holds.
    let isShown = true;
    const shownChanged = new Signal<StatusItem, void>(item);
    const follow = (settings: ISettingRegistry.ISettings): void => {
      isShown = settings.get('showStatusItem').composite !== false;
      shownChanged.emit();
    };
    void settingRegistry?.load(SETTINGS_ID).then(settings => {
      settings.changed.connect(follow);
      follow(settings);
    });
    statusBar.registerStatusItem(PLUGIN_ID, {
      item,
      align: 'right',
      rank: 900,
      isActive: () => isShown,
      activeStateChanged: shownChanged
    });
  }
};
