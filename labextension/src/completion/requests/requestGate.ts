/**
 * Whether it makes sense to ask at all, and what a person should hear when it does not.
 *
 * A server without the extension, or without a model, would refuse each request of a typist. After
 * the first refusal it is left alone until something has changed, and the person hears of it once.
 */

import { DisposableSet, type IDisposable } from '@lumino/disposable';

import { CODES, type ErrorPayload, NO_MODEL_CODES, PASSING_CODES } from '../../contract';
import type { IChannel } from '../../shared/tokens';

/** What stands in the way: no extension on the server, no model, or what the server said. */
export type Trouble =
  | { kind: 'absent' }
  | { kind: 'no-model'; error: ErrorPayload }
  | { kind: 'refused'; error: ErrorPayload };

/** So long nobody asks by himself after a refusal, if no event says earlier that things have changed. */
const REST_MS = 60_000;

export class RequestGate implements IDisposable {
  constructor(
    private readonly _channel: IChannel,
    private readonly _tell: (trouble: Trouble) => void,
    private readonly _now: () => number = () => Date.now()
  ) {
    _channel.stateChanged.connect(this._onChange);
    for (const event of ['backend:state', 'model:state'] as const) {
      this._subscriptions.add(
        _channel.on(event, ({ state }) => {
          if (state === 'ready') {
            this.open();
          }
        })
      );
    }
    // Completion may have been switched on again, or be answered by another model or provider.
    for (const event of ['settings:changed', 'providers:changed'] as const) {
      this._subscriptions.add(_channel.on(event, this._onChange));
    }
  }

  get isDisposed(): boolean {
    return this._subscriptions.isDisposed;
  }

  dispose(): void {
    this._subscriptions.dispose();
    this._channel.stateChanged.disconnect(this._onChange);
  }

  /** Something has changed: what was refused before may be answered now. */
  open(): void {
    this._closedUntil = 0;
    this._opening++;
  }

  /** How often it has been opened: a request keeps it, to say with its failure what it was asked under. */
  get opening(): number {
    return this._opening;
  }

  /** Whether to ask. A person who asks by a shortcut (`onDemand`) is always let through, or told why not. */
  allows(onDemand: boolean): boolean {
    if (this._channel.state === 'absent') {
      this._say({ kind: 'absent' }, 'absent', onDemand);
      return false;
    }
    if (this._channel.state === 'away') {
      return false; // The status bar says it, and it is tried again by itself.
    }
    return onDemand || this._now() >= this._closedUntil;
  }

  /** A request has failed, which was sent when `opening` was this. */
  failed(error: ErrorPayload, onDemand: boolean, opening: number): void {
    // What a provider refuses, it will refuse again.
    const isFinal = error.code === CODES.INVALID_ARGUMENT && 'provider' in error.details;
    if (PASSING_CODES.includes(error.code) && !isFinal) {
      return;
    }
    // A refusal that was on its way when things changed says nothing of what would be answered now.
    if (opening === this._opening) {
      this._closedUntil = this._now() + REST_MS;
    }
    const kind = NO_MODEL_CODES.includes(error.code) ? 'no-model' : 'refused';
    this._say({ kind, error }, error.code, onDemand);
  }

  private _say(trouble: Trouble, key: string, onDemand: boolean): void {
    // Who has switched completion off on the server does not want to hear of it while typing.
    const isKnown = this._told.has(key) || key === CODES.DISABLED;
    if (onDemand || !isKnown) {
      this._told.add(key);
      this._tell(trouble);
    }
  }

  private readonly _onChange = (): void => {
    this.open();
  };

  private readonly _subscriptions = new DisposableSet();
  private readonly _told = new Set<string>();
  private _closedUntil = 0;
  private _opening = 0;
}
