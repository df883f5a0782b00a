/** What the models of the panels share: a channel, the state of actions, data that is requested again. */

import { DisposableSet, type IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { IEvents } from '../../contract';
import type { Translate } from '../text/translate';
import type { ChannelState, EventName, IChannel } from '../tokens';
import { ActionState } from './actionState';
import { Refresher } from './refresher';

export abstract class PanelModel implements IDisposable {
  /**
   * @param _isSeen Whether somebody looks; who begins to, refreshes.
   * @param pauseMs Between an answer and the next question, however fast events come.
   */
  constructor(
    protected readonly _channel: IChannel,
    protected readonly _trans: Translate,
    protected readonly _isSeen: () => boolean = () => true,
    pauseMs = 0
  ) {
    this.actionState = new ActionState(_channel);
    this._refresher = new Refresher(() => this._askWhereOpen(), pauseMs);
    _channel.stateChanged.connect(this._onChannel);
    this.actionState.changed.connect(this._tell);
  }

  /** What was asked for, by the id of the thing that it was asked for. */
  readonly actionState: ActionState;

  get channel(): ChannelState {
    return this._channel.state;
  }

  /** Whether the service has told it what is to be shown. */
  abstract get isKnown(): boolean;

  /** What a screen reader is to say last. */
  get spoken(): string {
    return this.actionState.spoken;
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

  /** Ask for everything anew; several calls at once are one. */
  refresh(): Promise<void> {
    return this._refresher.run();
  }

  /** Ask the service, which is there. It may reject. */
  protected abstract _ask(): Promise<void>;

  /** The next server may be another one: forget what only this one knew. */
  protected _forgetServer(): void {
    // Most know nothing of the kind.
  }

  protected _follow<K extends EventName>(event: K, listener: (payload: IEvents[K]) => void): void {
    this._subscriptions.add(this._channel.on(event, listener));
  }

  protected readonly _onChannel = (): void => {
    this._forgetServer();
    if (this._channel.state === 'open' && this._isSeen()) {
      void this.refresh();
    }
    this._tell();
  };

  protected readonly _tell = (): void => {
    this._changed.emit();
  };

  private async _askWhereOpen(): Promise<void> {
    if (this._channel.state === 'open') {
      await this._ask();
    } else {
      this._channel.connect();
    }
  }

  private readonly _subscriptions = new DisposableSet();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _refresher: Refresher;
}
