/** Puts the sidebar on the right of JupyterLab and Notebook 7. */

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Signal } from '@lumino/signaling';

import { IPanels } from '../shared/tokens';
import { logoIcon } from '../shared/ui/icons';
import { shieldTextBoxes } from '../shared/ui/keyboard';
import { Sidebar } from './sidebar';

const RANK = 750;

export const panelsPlugin: JupyterFrontEndPlugin<IPanels> = {
  id: 'jupyter-localcoder:panels',
  description: 'Provides the LocalCoder sidebar.',
  autoStart: true,
  provides: IPanels,
  optional: [ITranslator, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null
  ): IPanels => {
    const trans = (translator ?? nullTranslator).load('jupyter_localcoder');
    // In the sidebar, beside cells and on the start page: all that is ours has its classes.
    shieldTextBoxes(box => box.closest('[class*="jp-LocalCoder"]') !== null);
    const sidebar = new Sidebar();
    sidebar.title.icon = logoIcon;
    sidebar.title.caption = trans.__('LocalCoder');
    sidebar.node.setAttribute('role', 'region');
    sidebar.node.setAttribute('aria-label', trans.__('LocalCoder'));
    app.shell.add(sidebar, 'right', { rank: RANK, type: 'LocalCoder' });
    restorer?.add(sidebar, sidebar.id);
    const shown = new Signal<IPanels, string>(sidebar);
    sidebar.shown.connect((_, id) => {
      shown.emit(id);
    });
    return {
      add: section => sidebar.add(section),
      show: id => {
        sidebar.select(id);
        app.shell.activateById(sidebar.id);
      },
      isShown: id => sidebar.isShown(id),
      shown,
      setNew: (id, count) => {
        const all = sidebar.setNew(id, count);
        sidebar.title.className = all > 0 ? 'jp-LocalCoder-mod-new' : '';
        sidebar.title.caption =
          all > 0 ? trans.__('LocalCoder: new answers (%1)', all) : trans.__('LocalCoder');
      }
    };
  }
};
