/** Puts the state of the worker into the status bar, if the settings want it there. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import { IChannel } from '../tokens';
import { showDetails } from './details';
import { StatusItem } from './item';
import { StatusModel } from './model';

const PLUGIN_ID = 'jupyter-localcoder:status';
/** The settings of all of this extension: schema/plugin.json. */
const SETTINGS_ID = 'jupyter-localcoder:plugin';

export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Shows the state of the local model in the status bar.',
  autoStart: true,
  requires: [IChannel],
  // Notebook 7 has no status bar, and the others may be switched off.
  optional: [IStatusBar, ISettingRegistry, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    channel: IChannel,
    statusBar: IStatusBar | null,
    settingRegistry: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    if (!statusBar) {
      return;
    }
    const trans = (translator ?? nullTranslator).load('jupyter_localcoder');
    const model = new StatusModel(channel);
    const item = new StatusItem(model, trans, () => {
      void showDetails(model, trans);
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
