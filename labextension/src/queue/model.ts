/** What runs and waits: asked for when it has changed and somebody looks. */

import { DisposableSet, type IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { ErrorPayload, QueueView } from '../contract';
import { Errands, GENERAL } from '../panels/errands';
import { Refresher } from '../panels/refresher';
import type { Translate } from '../status/text';
import type { ChannelState, IChannel } from '../tokens';
import { canceledText } from './words';

/** Many requests can end in one second; nobody reads as fast. */
const PAUSE_MS = 200;

export class QueueModel implements IDisposable {
  /** @param _isSeen Whether somebody looks; who begins to, refreshes. */
  constructor(
    private readonly _channel: IChannel,
    private readonly _trans: Translate,
    private readonly _isSeen: () => boolean,
    pauseMs = PAUSE_MS
  ) {
    this.errands = new Errands(_channel);
    this._refresher = new Refresher(() => this._ask(), pauseMs);
    this._subscriptions.add(
      _channel.on('queue:updated', () => {
        if (this._isSeen()) {
          void this.refresh();
        }
      })
    );
    _channel.stateChanged.connect(this._onChannel);
    this.errands.changed.connect(this._tell);
  }

  /** What was asked for, by the id of the request. */
  readonly errands: Errands;

  get channel(): ChannelState {
    return this._channel.state;
  }

  get isKnown(): boolean {
    return this._view !== null;
  }

  /** Null until the service has told it. */
  get view(): QueueView | null {
    return this._view;
  }

  /** How many can be cancelled. */
  get open(): number {
    const { running, waiting, streams } = this._view ?? { running: [], waiting: [], streams: [] };
    return running.length + waiting.length + streams.length;
  }

  get spoken(): string {
    return this.errands.spoken;
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

  refresh(): Promise<void> {
    return this._refresher.run();
  }

  /** End one request; `what` is how it is called. */
  async cancel(id: string, what: string): Promise<void> {
    const answer = await this.errands.tryTo(id, 'llm:cancel', { id }, error => {
      if (isOver(error)) {
        this.errands.say(GENERAL, this._trans.__('%1: it had ended already.', what));
      } else {
        this.errands.fail(GENERAL, error);
      }
    });
    if (answer) {
      this.errands.speak(this._trans.__('%1: cancelled.', what));
    }
    await this.refresh();
  }

  /** End everything that runs or waits, also what was asked from other pages. */
  async cancelAll(): Promise<void> {
    const answer = await this.errands.ask(GENERAL, 'llm:cancelAll', {});
    if (answer) {
      this.errands.say(GENERAL, canceledText(answer.count, this._trans));
    }
    await this.refresh();
  }

  private async _ask(): Promise<void> {
    if (this._channel.state !== 'open') {
      this._channel.connect();
      return;
    }
    this._view = await this._channel.request('queue:list', {});
    this._tell();
  }

  private readonly _onChannel = (): void => {
    if (this._channel.state === 'open' && this._isSeen()) {
      void this.refresh();
    }
    this._tell();
  };

  private readonly _tell = (): void => {
    this._changed.emit();
  };

  private readonly _subscriptions = new DisposableSet();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _refresher: Refresher;
  private _view: QueueView | null = null;
}

/** Whether there was nothing left to cancel. */
function isOver({ code }: ErrorPayload): boolean {
  return code === 'REQUEST_ALREADY_COMPLETED' || code === 'REQUEST_NOT_FOUND';
}
