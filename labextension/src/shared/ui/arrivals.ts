/** Says that something has come, to who does not look at the panel that it is in: on its tab, and as a toast. */

import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IPanels } from '../tokens';

const CLOSE_MS = 6000;

export class Arrivals {
  constructor(
    private readonly _panels: IPanels,
    private readonly _section: string,
    private readonly _trans: TranslationBundle,
    private readonly _type: 'info' | 'warning' = 'info',
    private readonly _text = (count: number): string =>
      _trans._n('New answer received.', '%1 new answers received.', count)
  ) {
    _panels.shown.connect((_, id) => {
      if (id === _section) {
        this._seen();
      }
    });
  }

  /** One more has come. */
  add(): void {
    if (this._panels.isShown(this._section)) {
      return;
    }
    this._count++;
    this._panels.setNew(this._section, this._count);
    const message = this._text(this._count);
    const options = {
      autoClose: CLOSE_MS,
      actions: [
        {
          label: this._trans.__('Show'),
          callback: () => {
            this._panels.show(this._section);
          }
        }
      ]
    };
    // Answers may come fast: what they say is one toast.
    if (this._toast !== '' && Notification.manager.has(this._toast)) {
      Notification.update({ id: this._toast, message, ...options });
    } else {
      this._toast = Notification.emit(message, this._type, options);
    }
  }

  private _seen(): void {
    if (this._toast !== '') {
      Notification.dismiss(this._toast);
      this._toast = '';
    }
    this._count = 0;
    this._panels.setNew(this._section, 0);
  }

  private _count = 0;
  private _toast = '';
}
