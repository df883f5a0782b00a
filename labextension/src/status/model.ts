/** What is known of the worker right now: kept up to date by the channel, read by what shows it. */

import type { IDisposable } from '@lumino/disposable';
import { DisposableSet } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { BackendState, BackendStatus, SuggestionStats, WorkerState } from '../contract';
import { residents } from '../shared/service/residents';
import type { ChannelState, IChannel } from '../shared/tokens';

/** State of the workers, with the models by the names that people know. */
export interface IWorkerView extends BackendState {
  modelName: string | null;
  /** All that are in memory, where there are several. */
  readonly several: readonly { name: string; state: WorkerState; reason: string }[];
}

export class StatusModel implements IDisposable {
  constructor(channel: IChannel) {
    this._channel = channel;
    this._subscriptions.add(
      channel.on('backend:state', state => {
        this._move(state);
      })
    );
    channel.stateChanged.connect(this._onChannel);
    this._onChannel();
  }

  get channel(): ChannelState {
    return this._channel.state;
  }

  /** Null until the server has told it, and again when the connection is lost. */
  get worker(): IWorkerView | null {
    const worker = this._worker;
    if (!worker) {
      return null;
    }
    const all = residents(worker);
    const several = all.length > 1 ? all : [];
    return {
      ...worker,
      modelName: this._nameOf(worker.model),
      several: several.map(({ model, state, reason }) => ({
        name: this._nameOf(model),
        state,
        reason
      }))
    };
  }

  /** The last full answer to a ping: numbers that no event carries. */
  get details(): BackendStatus | null {
    return this._details;
  }

  /** What became of the suggestions on the server's machine, as of the last `refreshCounts`. */
  get suggestions(): SuggestionStats | null {
    return this._suggestions;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._subscriptions.isDisposed;
  }

  dispose(): void {
    this._subscriptions.dispose();
    this._channel.stateChanged.disconnect(this._onChannel);
    Signal.clearData(this);
  }

  /** Ask for everything anew; where there is no connection, try to connect. */
  async refresh(): Promise<void> {
    if (this._channel.state !== 'open') {
      this._channel.connect();
      return;
    }
    try {
      const status = await this._channel.request('backend:ping', {});
      this._details = status;
      this._move(status);
    } catch {
      // The connection was lost, which is told already, or the answer was a refusal: nothing is known.
    }
  }

  /** Ask for the counts of suggestions. */
  async refreshCounts(): Promise<void> {
    try {
      this._suggestions = await this._channel.request('stats:get', {});
      this._changed.emit();
    } catch {
      this._suggestions = null; // Also from an older server, which counts nothing.
    }
  }

  private readonly _onChannel = (): void => {
    if (this._channel.state === 'open') {
      void this.refresh();
    } else {
      // The next server may be another one, and counts its workers from the start.
      this._worker = null;
      this._details = null;
    }
    this._changed.emit();
  };

  private _move(state: BackendState): void {
    if (this._worker && state.generation < this._worker.generation) {
      return; // Late news of a worker that is gone.
    }
    const { model, profile, generation, reason, resident, residency } = state;
    this._worker = { state: state.state, model, profile, generation, reason, resident, residency };
    const ids = [...residents(state).map(one => one.model), ...(model === null ? [] : [model])];
    const unknown = ids.filter(id => !this._names.has(id));
    if (unknown.length > 0) {
      void this._learnNames(unknown);
    }
    this._changed.emit();
  }

  private _nameOf<T extends string | null>(model: T): T | string {
    return model === null ? model : (this._names.get(model) ?? model);
  }

  private async _learnNames(unknown: readonly string[]): Promise<void> {
    // Asked once for each model, also when the list does not have it.
    for (const id of unknown) {
      this._names.set(id, id);
    }
    try {
      const { models } = await this._channel.request('model:list', {});
      for (const { id, name } of models) {
        this._names.set(id, name);
      }
      this._changed.emit();
    } catch {
      for (const id of unknown) {
        this._names.delete(id); // The id stands in; the next move asks again.
      }
    }
  }

  private readonly _channel: IChannel;
  private readonly _names = new Map<string, string>();
  private readonly _subscriptions = new DisposableSet();
  private readonly _changed = new Signal<this, void>(this);
  private _worker: BackendState | null = null;
  private _details: BackendStatus | null = null;
  private _suggestions: SuggestionStats | null = null;
}
