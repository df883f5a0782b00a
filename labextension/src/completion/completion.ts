/** `ICompletion` over the parts that do the work. */

import type { ISessionContext } from '@jupyterlab/apputils';
import { type ISignal, Signal } from '@lumino/signaling';

import type { KernelVariable } from '../contract';
import type { ICompletion } from '../shared/tokens';
import type { Control } from './control';
import type { KernelKnowledge } from './kernel/kernels';
import type { Asker } from './requests/asker';

/** A speed measured over fewer tokens says little. */
const ENOUGH_TOKENS = 8;

export class Completion implements ICompletion {
  constructor(
    private readonly _control: Control,
    private readonly _asker: Asker,
    private readonly _kernels: KernelKnowledge
  ) {
    const tell = (): void => {
      this._changed.emit();
    };
    _control.changed.connect(() => {
      if (!_control.isOn) {
        _asker.stop('user');
      }
      tell();
    });
    _asker.runningChanged.connect(tell);
    _asker.ended.connect((_, frame) => {
      if (frame.type === 'done' && (frame.usage.completion_tokens ?? 0) >= ENOUGH_TOKENS) {
        this._tokensPerSecond = frame.timings.decode_tokens_per_second;
      }
    });
  }

  get isOff(): boolean {
    return this._control.isOff;
  }

  get isPaused(): boolean {
    return this._control.isPaused;
  }

  get running(): number {
    return this._asker.running;
  }

  get tokensPerSecond(): number {
    return this._tokensPerSecond;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  setPaused(isPaused: boolean): void {
    this._control.setPaused(isPaused);
  }

  variablesOf(session: ISessionContext): KernelVariable[] {
    return this._kernels.of(session).variables;
  }

  private readonly _changed = new Signal<this, void>(this);
  private _tokensPerSecond = 0;
}
