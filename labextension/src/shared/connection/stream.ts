/** One stream of an answer: from the request to its last frame. */

import { PromiseDelegate } from '@lumino/coreutils';

import {
  type CancelReason,
  CODES,
  type Done,
  type ErrorPayload,
  type Failed,
  type Frame
} from '../../contract';
import type { IStream } from '../tokens';

/** A server that answers at all ends what it is asked to end within a moment. */
const SILENT: ErrorPayload = {
  code: CODES.TIMEOUT,
  message: 'Stopped here, but the Jupyter server does not respond.',
  recovery: 'It may still be computing. Check that the server is running, and try again.',
  details: {}
};

/** What a stream needs from the connection to be stopped. */
export interface IStreamStop {
  /** The server knows it by this run id: ask for its end. Resolves when the server has heard that. */
  running(run: string, reason: CancelReason): Promise<unknown>;
  /** The server has not heard of it. Answers whether it could be taken back unsent. */
  unsent(): boolean;
}

export class Stream implements IStream {
  constructor(
    private readonly _onFrame: (frame: Frame) => void,
    private readonly _stop: IStreamStop,
    /** So long a server may say nothing to its end, before it is over here all the same. */
    private readonly _patienceMs = Infinity
  ) {}

  get ended(): Promise<Done | Failed> {
    return this._ended.promise;
  }

  cancel(reason: CancelReason = 'user'): void {
    if (this._isOver || this._reason !== null) {
      return;
    }
    this._reason = reason;
    if (this._patienceMs < Infinity) {
      this._timer = setTimeout(() => {
        // A server that has heard it is there, and ends it when its model lets go.
        if (!this._isHeard) {
          this.fail(SILENT);
        }
      }, this._patienceMs);
    }
    if (this._run !== null) {
      this._end(this._run, reason);
    } else if (this._stop.unsent()) {
      this.fail({ code: CODES.CANCELED, message: 'Cancelled.', recovery: '', details: {} });
    }
    // Else it was sent and has no run id yet: `Started` brings the id, and then it is stopped.
  }

  /** A frame came. */
  accept(frame: Frame): void {
    if (frame.type === 'started' && this._run === null) {
      this._run = frame.run;
      // Also where it is over here: it may not go on there.
      if (this._reason !== null) {
        this._end(frame.run, this._reason);
      }
    }
    if (this._isOver) {
      return;
    }
    const isLast = frame.type === 'done' || frame.type === 'error';
    if (isLast) {
      this._isOver = true;
      clearTimeout(this._timer);
    }
    if (isLast || this._reason === null) {
      this._deliver(frame);
    }
    if (isLast) {
      this._ended.resolve(frame);
    }
  }

  /** No frame can come any more: end it with this error. */
  fail(error: ErrorPayload): void {
    this.accept({ type: 'error', run: this._run ?? '', error });
  }

  private _end(run: string, reason: CancelReason): void {
    void this._stop.running(run, reason).then(() => {
      this._isHeard = true;
    });
  }

  private _deliver(frame: Frame): void {
    try {
      this._onFrame(frame);
    } catch (reason) {
      // A mistake in what shows the stream must not keep the stream from ending.
      console.error(reason);
    }
  }

  private readonly _ended = new PromiseDelegate<Done | Failed>();
  private _isHeard = false;
  private _isOver = false;
  private _reason: CancelReason | null = null;
  private _run: string | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}
