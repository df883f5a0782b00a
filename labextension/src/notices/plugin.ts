/** Shows what the server wants a person to know among JupyterLab's own notifications. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { IChannel } from '../shared/tokens';
import { type IShelf, NoticeBoard } from './board';
import { type INoticeView, wayText } from './view';

const OPEN_MODELS = 'localcoder:open-models';

export const noticesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-localcoder:notices',
  description: 'Shows notifications of the local model.',
  autoStart: true,
  requires: [IChannel],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, channel: IChannel, translator: ITranslator | null): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_localcoder');
    const shown = new Map<string, string>();
    const clear = (key: string): void => {
      const id = shown.get(key);
      // Without an id all are dismissed, those of others too.
      if (id !== undefined) {
        shown.delete(key);
        Notification.dismiss(id);
      }
    };
    const actions = ({ key, details, way }: INoticeView): Notification.IAction[] => {
      const offered: Notification.IAction[] = [];
      if (details !== '') {
        offered.push({
          label: trans.__('Details'),
          callback: event => {
            event.preventDefault(); // else the notification would go
            void showDialog({
              title: trans.__('LocalCoder'),
              body: details,
              buttons: [Dialog.okButton({ label: trans.__('Close') })]
            });
          }
        });
      }
      if (way) {
        offered.push({
          label: wayText(way, trans),
          displayType: 'accent',
          callback: () => void board.take(key, way)
        });
      }
      return offered;
    };
    const shelf: IShelf = {
      show: view => {
        clear(view.key);
        const { key, message, severity, autoClose } = view;
        shown.set(key, Notification.emit(message, severity, { autoClose, actions: actions(view) }));
      },
      clear,
      openModels: () => {
        if (app.commands.hasCommand(OPEN_MODELS)) {
          void app.commands.execute(OPEN_MODELS);
        }
      }
    };
    const board = new NoticeBoard(channel, shelf, trans);
  }
};
