/** Whether answers to commands on cells are kept: one choice for all of them, until the page is loaded again. */

import { type ISignal, Signal } from '@lumino/signaling';

export class Privacy {
  /** Whether nothing of what is asked next is kept. */
  get isOn(): boolean {
    return this._isOn;
  }

  set(isOn: boolean): void {
    if (isOn !== this._isOn) {
      this._isOn = isOn;
      this._changed.emit();
    }
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  private readonly _changed = new Signal<this, void>(this);
  private _isOn = false;
}
