/**
 * Notices that a server says nothing any more although the connection stands: its process was stopped, its event
 * loop is blocked, or the network has gone without a word.
 *
 * It counts beats and not time: a page that was asleep has heard nothing for hours, and nothing is wrong.
 */

const BEAT_MS = 10_000;
/** Nothing came between two beats, the server was asked for a sign of life, and gave none until the next. */
const SILENT_BEATS = 2;
/** Of a network that has gone the browser may say so after a quarter of an hour, and never of an idle one. */
const LOST_BEATS = 12;

export interface IHeartbeatOptions {
  /** Send something that is always answered. */
  ask: () => void;
  /** `isSilent` is another now. */
  changed: () => void;
  /** It has been silent for so long that another connection is the better one. */
  lost: () => void;
}

export class Heartbeat {
  constructor(private readonly _options: IHeartbeatOptions) {}

  /** Whether the server was asked for a sign of life and gave none. */
  get isSilent(): boolean {
    return this._unheard >= SILENT_BEATS;
  }

  /** There is a connection. */
  start(): void {
    this.stop();
    this._timer = setInterval(() => {
      this._beat();
    }, BEAT_MS);
  }

  /** There is none any more. */
  stop(): void {
    clearInterval(this._timer);
    this.heard();
  }

  /** Something came from the server. */
  heard(): void {
    const wasSilent = this.isSilent;
    this._hasHeard = true;
    this._unheard = 0;
    if (wasSilent) {
      this._options.changed();
    }
  }

  private _beat(): void {
    if (this._hasHeard) {
      this._hasHeard = false;
      return;
    }
    this._unheard += 1;
    if (this._unheard === 1) {
      this._options.ask();
    } else if (this._unheard === SILENT_BEATS) {
      this._options.changed();
    } else if (this._unheard === LOST_BEATS) {
      this._options.lost();
    }
  }

  /** Since the last beat. */
  private _hasHeard = false;
  /** Beats since something was heard. */
  private _unheard = 0;
  private _timer: ReturnType<typeof setInterval> | undefined;
}
