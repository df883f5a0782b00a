/** The connection to the server: operations, streams of answers, events. */

import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type {
  CancelReason,
  Done,
  ErrorPayload,
  Failed,
  Frame,
  IEvents,
  IOperations
} from '../../contract';

/** Operations that answer once. */
export type RequestName = {
  [K in keyof IOperations]: IOperations[K]['streams'] extends true ? never : K;
}[keyof IOperations];

/** Operations that answer with a stream of frames. */
export type StreamName = Exclude<keyof IOperations, RequestName>;

/** Events that everybody hears. The frames of a completion go to who asked for it: `stream`. */
export type EventName = Exclude<keyof IEvents, 'tab:stream'>;

/**
 * Where the connection to the server stands.
 *
 * `connecting` is only the first attempt. `away`: it was lost or never came up, and is tried again.
 * `absent`: the server answers, and does not have the extension.
 */
export type ChannelState = 'connecting' | 'open' | 'away' | 'absent';

/** One stream of an answer. */
export interface IStream {
  /** The last frame. It never rejects: a failure of any kind is a `Failed` frame. */
  readonly ended: Promise<Done | Failed>;
  /** Ask the server to stop. No `Delta` is delivered any more; the last frame still is. */
  cancel(reason?: CancelReason): void;
}

/** The connection to the server: operations and events over one websocket. */
export interface IChannel {
  readonly state: ChannelState;
  readonly stateChanged: ISignal<IChannel, ChannelState>;
  /** Whether the connection stands and the server does not respond; requests wait until it does. */
  readonly isSilent: boolean;
  readonly silenceChanged: ISignal<IChannel, boolean>;
  /** Connect, or try again at once instead of waiting for the next attempt. */
  connect(): void;
  /**
   * Do an operation that answers once; it rejects with a `ChannelError`.
   *
   * There is no time limit: a load can take minutes. A connection that is lost rejects it.
   */
  request<K extends RequestName>(
    op: K,
    payload: IOperations[K]['request']
  ): Promise<IOperations[K]['response']>;
  /** Start an operation that streams. The last frame that `onFrame` gets is `Done` or `Failed`. */
  stream<K extends StreamName>(
    op: K,
    payload: IOperations[K]['request'],
    onFrame: (frame: Frame) => void
  ): IStream;
  /** Listen to an event, until the answer is disposed. */
  on<K extends EventName>(event: K, listener: (payload: IEvents[K]) => void): IDisposable;
}

export const IChannel = new Token<IChannel>(
  'jupyter-localcoder:IChannel',
  'The connection to the LocalCoder extension of the Jupyter server.'
);

/** An operation failed: the error of the contract, as an exception. */
export class ChannelError extends Error {
  constructor(readonly payload: ErrorPayload) {
    super(payload.message);
    this.name = 'ChannelError';
  }

  get code(): string {
    return this.payload.code;
  }
}
