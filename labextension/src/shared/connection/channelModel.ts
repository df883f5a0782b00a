/** A model of what the service knows: loaded through a channel, again after a reconnect, and when it is asked to. */

import { DisposableSet, type IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { IEvents } from '../../contract';
import type { ChannelState, EventName, IChannel } from '../tokens';
import { Refresher } from './refresher';

export abstract class ChannelModel implements IDisposable {
  /**
   * @param _isVisible Whether a view shows the model; after a reconnect, only a visible model is loaded.
   * @param pauseMs Minimum time between the end of a load and the start of the next one.
   */
  constructor(
    protected readonly _channel: IChannel,
    protected readonly _isVisible: () => boolean = () => true,
    pauseMs = 0
  ) {
    this._refresher = new Refresher(() => this._loadIfOpen(), pauseMs);
    _channel.stateChanged.connect(this._onChannel);
  }

  get channel(): ChannelState {
    return this._channel.state;
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

  /**
   * Load again, or connect if there is no connection. Simultaneous calls share a load. It never rejects: after
   * a failure, what was loaded before remains, and the state of the channel shows a lost connection.
   */
  refresh(): Promise<void> {
    return this._refresher.run();
  }

  /** Send the requests of a load over the open channel. It may reject. */
  protected abstract _load(): Promise<void>;

  /** The next connection may lead to another server: discard what only this one knew. */
  protected _resetServerState(): void {
    // Most models have no such state.
  }

  protected _subscribe<K extends EventName>(
    event: K,
    listener: (payload: IEvents[K]) => void
  ): void {
    this._subscriptions.add(this._channel.on(event, listener));
  }

  protected readonly _onChannel = (): void => {
    this._resetServerState();
    if (this._channel.state === 'open' && this._isVisible()) {
      void this.refresh();
    }
    this._emitChanged();
  };

  protected readonly _emitChanged = (): void => {
    this._changed.emit();
  };

  private async _loadIfOpen(): Promise<void> {
    if (this._channel.state === 'open') {
      await this._load();
    } else {
      this._channel.connect();
    }
  }

  private readonly _subscriptions = new DisposableSet();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _refresher: Refresher;
}
