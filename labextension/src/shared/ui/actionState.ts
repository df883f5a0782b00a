/**
 * What a person asks for in a panel: whether an answer is awaited, and what came of it, kept under the id of
 * the thing that it was asked for.
 */

import { type ISignal, Signal } from '@lumino/signaling';

import { CODES, type ErrorPayload, type IOperations } from '../../contract';
import { ChannelError, type IChannel, type RequestName } from '../tokens';

/** Notes that belong to no single thing are kept under this id. */
export const GENERAL = '';
/** Those of a form stand in it, where the person looks; no thing has such an id. */
export const IMPORT = '/import';
export const RUNNING = '/running';

/** What came of something that a person asked for. */
export interface INote {
  severity: 'info' | 'error';
  message: string;
  /** What can be done about it. */
  recovery: string;
  /** Set where the service has refused a load that it would do if it were insisted upon. */
  canForce: boolean;
}

export class ActionState {
  constructor(private readonly _channel: IChannel) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What a screen reader is to say last. */
  get spoken(): string {
    return this._spoken;
  }

  isBusy(id: string): boolean {
    return (this._busy.get(id) ?? 0) > 0;
  }

  note(id: string): INote | undefined {
    return this._notes.get(id);
  }

  dismiss(id: string): void {
    if (this._notes.delete(id)) {
      this._changed.emit();
    }
  }

  /** Say what came of something, and leave it on the screen. */
  say(id: string, message: string): void {
    this._notes.set(id, { severity: 'info', message, recovery: '', canForce: false });
    this.speak(message);
  }

  /** Say it to who does not see the screen; who does sees it happen. */
  speak(message: string): void {
    this._spoken = message;
    this._changed.emit();
  }

  /** Do an operation; answers null where it failed, which is then noted. It never rejects. */
  ask<K extends RequestName>(
    id: string,
    op: K,
    request: IOperations[K]['request']
  ): Promise<IOperations[K]['response'] | null> {
    return this.tryTo(id, op, request, error => {
      this.fail(id, error);
    });
  }

  /** The same for who shows a failure in a place of its own. */
  async tryTo<K extends RequestName>(
    id: string,
    op: K,
    request: IOperations[K]['request'],
    onFailure: (error: ErrorPayload) => void
  ): Promise<IOperations[K]['response'] | null> {
    this._notes.delete(id);
    this._busy.set(id, (this._busy.get(id) ?? 0) + 1);
    this._changed.emit();
    try {
      return await this._channel.request(op, request);
    } catch (reason) {
      if (!(reason instanceof ChannelError)) {
        throw reason;
      }
      onFailure(reason.payload);
      return null;
    } finally {
      this._busy.set(id, (this._busy.get(id) ?? 1) - 1);
      this._changed.emit();
    }
  }

  /** Say why something was not done, and what can be done about it. */
  refuse(id: string, message: string, recovery: string): void {
    this._notes.set(id, { severity: 'error', message, recovery, canForce: false });
    this.speak(`${message} ${recovery}`);
  }

  fail(id: string, { code, message, recovery, details }: ErrorPayload): void {
    const canForce = code === CODES.OUT_OF_MEMORY && details.refused === true;
    this._notes.set(id, { severity: 'error', message, recovery, canForce });
    this.speak(`${message} ${recovery}`);
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _notes = new Map<string, INote>();
  private readonly _busy = new Map<string, number>();
  private _spoken = '';
}
