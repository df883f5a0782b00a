/** An answer: asked for, streamed, stopped, asked for again. */

import { type ISignal, Signal } from '@lumino/signaling';

import {
  CODES,
  type Done,
  type ErrorPayload,
  type IOperations,
  NO_MODEL_CODES
} from '../../contract';
import type { IChannel, IStream } from '../tokens';
import { plain } from './plain';

/**
 * `waiting`: nothing came yet. `reasoning`: the model thinks before it answers. `stopped`: the person ended it; what
 * had come is there.
 */
export type AnswerState = 'waiting' | 'reasoning' | 'writing' | 'done' | 'stopped' | 'failed';

/** Whether more is to come. */
export function isOpen(state: AnswerState): boolean {
  return state === 'waiting' || state === 'reasoning' || state === 'writing';
}

/** Whether an error with this code is mended by setting up a model: none is there, or not the one that is chosen. */
export function needsModel(code: string | undefined): boolean {
  return code !== undefined && NO_MODEL_CODES.includes(code);
}

export class StreamedAnswer<K extends 'generate' | 'chat'> {
  constructor(
    private readonly _channel: Pick<IChannel, 'stream'>,
    private readonly _operation: K
  ) {}

  get state(): AnswerState {
    return this._state;
  }

  get isRunning(): boolean {
    return this._stream !== null && isOpen(this._state);
  }

  /** What came so far, made plain. */
  get text(): string {
    return plain(this._text);
  }

  /** What the model reasoned before it answered; no part of the answer. */
  get reasoning(): string {
    return this._reasoning;
  }

  /** The last frame, after `done`, and after `stopped` where something had come. */
  get done(): Done | null {
    return this._done;
  }

  /** Id of the provider that answers; empty until it is known. */
  get provider(): string {
    return this._provider;
  }

  /** Why it failed, or why it was stopped where that was nobody's wish. */
  get error(): ErrorPayload | null {
    return this._error;
  }

  /** Whether the model said all that it had to say. */
  get isComplete(): boolean {
    return this._state === 'done' && this._done?.finish === 'stop';
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Ask; what was asked before is stopped and forgotten. */
  start(request: IOperations[K]['request']): void {
    this._stream?.cancel();
    this._text = '';
    this._reasoning = '';
    this._done = null;
    this._error = null;
    this._provider = '';
    this._attempt = 1;
    this._state = 'waiting';
    const stream: IStream = this._channel.stream(this._operation, request, frame => {
      if (this._stream !== stream || !this.isRunning) {
        return;
      }
      if (frame.type === 'started') {
        this._provider = frame.provider;
      } else if (frame.type === 'delta') {
        // A second answer takes the place of one that could not be used.
        if ((frame.attempt || 1) !== this._attempt) {
          this._attempt = frame.attempt || 1;
          this._text = '';
          this._reasoning = '';
        }
        this._text += frame.text;
        this._reasoning += frame.reasoning || '';
        this._state = this._text === '' ? 'reasoning' : 'writing';
      } else if (frame.type === 'done') {
        this._text = frame.text;
        this._reasoning = frame.reasoning || '';
        this._done = frame;
        this._state = frame.finish === 'canceled' ? 'stopped' : 'done';
        if (frame.note) {
          this._error = { code: CODES.CANCELED, message: frame.note, recovery: '', details: {} };
        }
      } else {
        this._error = frame.error;
        this._state = frame.error.code === CODES.CANCELED ? 'stopped' : 'failed';
      }
      this._changed.emit();
    });
    this._stream = stream;
    this._changed.emit();
  }

  /** The state changes when the server says that it has stopped. */
  stop(): void {
    this._stream?.cancel();
  }

  dispose(): void {
    this.stop();
    this._stream = null;
    Signal.clearData(this);
  }

  private readonly _changed = new Signal<this, void>(this);
  private _stream: IStream | null = null;
  private _state: AnswerState = 'waiting';
  private _text = '';
  private _reasoning = '';
  private _done: Done | null = null;
  private _error: ErrorPayload | null = null;
  private _provider = '';
  private _attempt = 1;
}
