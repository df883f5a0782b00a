/** Whether suggestions are wanted at all: the settings, JupyterLab's own switch, and a pause. */

import { type ISignal, Signal } from '@lumino/signaling';

import { DEFAULTS, type ICompletionOptions } from './options';

export class Control {
  get options(): ICompletionOptions {
    return this._options;
  }

  /** Until it is resumed, or the page is loaded again. */
  get isPaused(): boolean {
    return this._isPaused;
  }

  /** Whether anything at all may be asked. Not before the settings are read: they may say no. */
  get isOn(): boolean {
    return this._isEnabled === true && this._isRead && !this._isPaused && !this.isOff;
  }

  /** Whether the settings, ours or JupyterLab's, have switched it off. */
  get isOff(): boolean {
    return this._isEnabled === false || this._options.mode === 'off';
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  setOptions(options: ICompletionOptions): void {
    this._options = options;
    this._isRead = true;
    this._changed.emit();
  }

  /** JupyterLab's settings for this provider of inline completions. */
  setEnabled(isEnabled: boolean): void {
    if (isEnabled !== this._isEnabled) {
      this._isEnabled = isEnabled;
      this._changed.emit();
    }
  }

  setPaused(isPaused: boolean): void {
    if (isPaused !== this._isPaused) {
      this._isPaused = isPaused;
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _options = DEFAULTS;
  private _isRead = false;
  /** Null until JupyterLab has said it. */
  private _isEnabled: boolean | null = null;
  private _isPaused = false;
}
