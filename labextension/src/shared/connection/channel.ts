/**
 * The client of the websocket: operations and events over one connection.
 *
 * Each request has an id, under which its answer and its frames come back. When the connection is
 * lost, everything that waits on it ends with an error: the server has cancelled it on its side.
 * It is then opened again, by itself, after a wait that grows with each failure.
 *
 * It must not know how a socket is opened, nor of JupyterLab: see `connection.ts`.
 */

import { PromiseDelegate } from '@lumino/coreutils';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import {
  CODES,
  type ErrorPayload,
  type Frame,
  type IEvents,
  type IOperations
} from '../../contract';
import {
  ChannelError,
  type ChannelState,
  type EventName,
  type IChannel,
  type IStream,
  type RequestName,
  type StreamName
} from '../tokens';
import { Backoff } from './backoff';
import { Heartbeat } from './heartbeat';
import { isFrame, parse } from './messages';
import type { Dial, ISocket } from './socket';
import { type IStreamStop, Stream } from './stream';

/** A server without the extension is asked again this rarely: it takes a restart to change that. */
const ABSENT_RETRY_MS = 300_000;

/** So long a server may take to say that it has stopped. */
const STOP_MS = 5000;

const LOST: ErrorPayload = {
  code: CODES.CONNECTION_ERROR,
  message: 'Cannot connect to the Jupyter server.',
  recovery: 'Check that it is still running, and try again.',
  details: {}
};

export interface IChannelOptions {
  /** Opens one socket. */
  dial: Dial;
  /** Asked after a socket that never opened: does the server have the extension at all? */
  isServed?: () => Promise<boolean>;
  backoff?: Backoff;
}

/** Who waits for what comes back under an id. */
interface IWaiting {
  answered(data: unknown): void;
  failed(error: ErrorPayload): void;
  /** Absent where no frames are expected. */
  frame?(frame: Frame): void;
}

type Listener = (payload: never) => void;

export class Channel implements IChannel, IDisposable {
  constructor(options: IChannelOptions) {
    this._dial = options.dial;
    this._isServed = options.isServed ?? (() => Promise.resolve(true));
    this._backoff = options.backoff ?? new Backoff();
  }

  get state(): ChannelState {
    return this._state;
  }

  get stateChanged(): ISignal<this, ChannelState> {
    return this._stateChanged;
  }

  get isSilent(): boolean {
    return this._heartbeat.isSilent;
  }

  get silenceChanged(): ISignal<this, boolean> {
    return this._silenceChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    clearTimeout(this._timer);
    this._heartbeat.stop();
    this._socket?.close();
    this._socket = null;
    this._failAll();
    this._listeners.clear();
    Signal.clearData(this);
  }

  connect(): void {
    if (this._isDisposed || this._socket) {
      return;
    }
    clearTimeout(this._timer);
    let isOpen = false;
    const socket = this._dial({
      opened: () => {
        if (this._socket === socket) {
          isOpen = true;
          this._opened(socket);
        }
      },
      received: text => {
        if (this._socket === socket) {
          this._heartbeat.heard();
          this._received(text);
        }
      },
      closed: () => {
        if (this._socket === socket) {
          this._socket = null;
          void this._closed(isOpen);
        }
      }
    });
    this._socket = socket;
  }

  request<K extends RequestName>(
    op: K,
    payload: IOperations[K]['request']
  ): Promise<IOperations[K]['response']> {
    const answer = new PromiseDelegate<IOperations[K]['response']>();
    this._submit(op, payload, {
      answered: data => {
        answer.resolve(data as IOperations[K]['response']);
      },
      failed: error => {
        answer.reject(new ChannelError(error));
      }
    });
    return answer.promise;
  }

  stream<K extends StreamName>(
    op: K,
    payload: IOperations[K]['request'],
    onFrame: (frame: Frame) => void
  ): IStream {
    let id = '';
    // Nobody waits for the end of a completion.
    const patienceMs = op === 'tab:complete' ? Infinity : STOP_MS;
    const stop: IStreamStop = {
      running: (run, reason) => {
        const cancel =
          op === 'tab:complete'
            ? this.request('tab:cancel', { run, reason })
            : this.request('llm:cancel', { id: run });
        // It may have ended in the meantime, which is as good.
        return cancel.catch(() => undefined);
      },
      unsent: () => this._takeBack(id)
    };
    const stream = new Stream(onFrame, stop, patienceMs);
    id = this._submit(op, payload, {
      answered: data => {
        if (isFrame(data)) {
          stream.accept(data);
        }
      },
      failed: error => {
        stream.fail(error);
      },
      frame: frame => {
        stream.accept(frame);
      }
    });
    return stream;
  }

  on<K extends EventName>(event: K, listener: (payload: IEvents[K]) => void): IDisposable {
    const listeners = this._listeners.get(event) ?? new Set<Listener>();
    this._listeners.set(event, listeners);
    listeners.add(listener);
    return new DisposableDelegate(() => {
      listeners.delete(listener);
    });
  }

  /** Send a request, or keep it until the first connection stands; answers its id. */
  private _submit(op: string, payload: unknown, waiting: IWaiting): string {
    const id = String(++this._lastId);
    const text = JSON.stringify({ id, op, payload });
    if (this._isDisposed || this._state === 'away' || this._state === 'absent') {
      // Later, as every other failure: no caller is called back from within its own call.
      queueMicrotask(() => {
        waiting.failed(LOST);
      });
      return id;
    }
    this._waiting.set(id, waiting);
    if (this._state === 'open') {
      this._socket?.send(text);
    } else {
      this._unsent.set(id, text);
    }
    return id;
  }

  /** Forget a request that was not sent yet; answers whether that was so. */
  private _takeBack(id: string): boolean {
    if (!this._unsent.delete(id)) {
      return false;
    }
    this._waiting.delete(id);
    return true;
  }

  private _opened(socket: ISocket): void {
    this._backoff.reset();
    this._heartbeat.start();
    const texts = [...this._unsent.values()];
    this._unsent.clear();
    for (const text of texts) {
      socket.send(text);
    }
    this._setState('open');
  }

  /** Leave a connection over which nothing comes any more. */
  private _abandon(): void {
    const socket = this._socket;
    this._socket = null;
    socket?.close();
    void this._closed(true);
  }

  private async _closed(wasOpen: boolean): Promise<void> {
    this._heartbeat.stop();
    // Only a connection that never opened raises the question whether anybody is there to answer.
    const isServed = wasOpen || (await this._isServed().catch(() => true));
    if (this._isDisposed || this._socket) {
      return;
    }
    const waitMs = isServed ? this._backoff.next() : ABSENT_RETRY_MS;
    this._timer = setTimeout(() => {
      this.connect();
    }, waitMs);
    this._setState(isServed ? 'away' : 'absent');
    this._failAll();
  }

  private _received(text: string): void {
    const message = parse(text);
    if (message === null) {
      return;
    }
    if (message.kind === 'event') {
      this._emit(message.event, message.payload);
      return;
    }
    const waiting = this._waiting.get(message.id);
    if (!waiting) {
      return;
    }
    if (message.kind === 'frame') {
      if (message.frame.type === 'done' || message.frame.type === 'error') {
        this._waiting.delete(message.id);
      }
      waiting.frame?.(message.frame);
      return;
    }
    if (message.kind === 'refusal' || !waiting.frame) {
      this._waiting.delete(message.id);
    }
    if (message.kind === 'refusal') {
      waiting.failed(message.error);
    } else {
      waiting.answered(message.data);
    }
  }

  private _emit(event: string, payload: unknown): void {
    for (const listener of [...(this._listeners.get(event) ?? [])]) {
      try {
        listener(payload as never);
      } catch (reason) {
        // One listener's mistake must not keep the others from hearing the event.
        console.error(reason);
      }
    }
  }

  private _failAll(): void {
    const waiting = [...this._waiting.values()];
    this._waiting.clear();
    this._unsent.clear();
    for (const one of waiting) {
      one.failed(LOST);
    }
  }

  private _setState(state: ChannelState): void {
    if (state !== this._state) {
      this._state = state;
      this._stateChanged.emit(state);
    }
  }

  private readonly _dial: Dial;
  private readonly _isServed: () => Promise<boolean>;
  private readonly _backoff: Backoff;
  private readonly _heartbeat = new Heartbeat({
    ask: () => {
      void this.request('backend:ping', {}).catch(() => undefined);
    },
    changed: () => {
      this._silenceChanged.emit(this.isSilent);
    },
    lost: () => {
      this._abandon();
    }
  });
  private readonly _stateChanged = new Signal<this, ChannelState>(this);
  private readonly _silenceChanged = new Signal<this, boolean>(this);
  private readonly _waiting = new Map<string, IWaiting>();
  private readonly _unsent = new Map<string, string>();
  private readonly _listeners = new Map<string, Set<Listener>>();
  private _state: ChannelState = 'connecting';
  private _socket: ISocket | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _lastId = 0;
  private _isDisposed = false;
}
