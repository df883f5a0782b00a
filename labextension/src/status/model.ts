/** The state of the workers for the status bar and its details: kept up to date by the channel. */

import type { BackendState, BackendStatus, SuggestionStats, WorkerState } from '../contract';
import { ChannelModel } from '../shared/connection/channelModel';
import { residents } from '../shared/service/residents';
import type { ChannelState, IChannel } from '../shared/tokens';

/** State of the workers, with the display names of the models. */
export interface IWorkerView extends BackendState {
  modelName: string | null;
  /** All resident models, if there are several. */
  readonly several: readonly { name: string; state: WorkerState; reason: string }[];
}

/** Where the connection stands; `silent`: it is open, and the server does not respond. */
export type Connection = ChannelState | 'silent';

export class StatusModel extends ChannelModel {
  constructor(channel: IChannel) {
    super(channel);
    channel.silenceChanged.connect(this._emitChanged);
    this._subscribe('backend:state', state => {
      this._events += 1;
      this._update(state);
    });
    this._onChannel();
  }

  get connection(): Connection {
    return this._channel.isSilent ? 'silent' : this._channel.state;
  }

  override dispose(): void {
    this._channel.silenceChanged.disconnect(this._emitChanged);
    super.dispose();
  }

  /** Null until the server has answered, and after the connection is lost. */
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

  /** The last response to a ping: numbers that no event contains. */
  get details(): BackendStatus | null {
    return this._details;
  }

  /** Counts of suggestions on the server's machine, as of the last `refreshCounts`. */
  get suggestions(): SuggestionStats | null {
    return this._suggestions;
  }

  /** Load the counts of suggestions. */
  async refreshCounts(): Promise<void> {
    try {
      this._suggestions = await this._channel.request('stats:get', {});
      this._emitChanged();
    } catch {
      this._suggestions = null; // An older server does not count suggestions.
    }
  }

  protected async _load(): Promise<void> {
    const events = this._events;
    const status = await this._channel.request('backend:ping', {});
    this._details = status;
    if (events === this._events) {
      this._update(status);
    } else {
      // What came in the meantime is at least as new as the response, which may be from before it.
      this._emitChanged();
    }
  }

  /** Another server counts the generations of its workers from the start. */
  protected override _resetServerState(): void {
    this._worker = null;
    this._details = null;
  }

  private _update(state: BackendState): void {
    if (this._worker && state.generation < this._worker.generation) {
      return; // A late event of a worker that has ended.
    }
    const { model, profile, generation, reason, resident, residency } = state;
    this._worker = { state: state.state, model, profile, generation, reason, resident, residency };
    const ids = [...residents(state).map(one => one.model), ...(model === null ? [] : [model])];
    const unknown = ids.filter(id => !this._names.has(id));
    if (unknown.length > 0) {
      void this._loadNames(unknown);
    }
    this._emitChanged();
  }

  private _nameOf<T extends string | null>(model: T): T | string {
    return model === null ? model : (this._names.get(model) ?? model);
  }

  private async _loadNames(unknown: readonly string[]): Promise<void> {
    // Requested once for each model, even if the list does not contain it.
    for (const id of unknown) {
      this._names.set(id, id);
    }
    try {
      const { models } = await this._channel.request('model:list', {});
      for (const { id, name } of models) {
        this._names.set(id, name);
      }
      this._emitChanged();
    } catch {
      for (const id of unknown) {
        this._names.delete(id); // The id is shown; the next update requests the name again.
      }
    }
  }

  private _events = 0;
  private readonly _names = new Map<string, string>();
  private _worker: BackendState | null = null;
  private _details: BackendStatus | null = null;
  private _suggestions: SuggestionStats | null = null;
}
