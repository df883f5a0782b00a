/**
 * Has the server read what will be needed: a notebook was opened, a cell or another line of it entered, a run
 * has ended.
 */

import type { CompleteRequest } from '../contract';
import type { IChannel } from '../tokens';

/** Who walks through cells or lines with the arrow keys wants none of them read. */
const CALM_MS = 300;

export class WarmAhead {
  /** `request` answers what would be asked at the cursor now, null where nothing would be. */
  constructor(
    private readonly _channel: IChannel,
    private readonly _isWanted: () => boolean,
    private readonly _request: () => CompleteRequest | null
  ) {}

  /** Soon, if nothing comes between. */
  soon(): void {
    this.drop();
    if (this._isWanted()) {
      this._timer = setTimeout(() => {
        this._ask();
      }, CALM_MS);
    }
  }

  /** Typing begins: its own requests read what they need. What the server reads for us, it gives up by itself. */
  drop(): void {
    clearTimeout(this._timer);
  }

  private _ask(): void {
    const request = this._isWanted() && this._channel.state === 'open' ? this._request() : null;
    if (request) {
      // It is a favour: where it fails, the next completion does without.
      this._channel.request('tab:warm', request).catch(() => undefined);
    }
  }

  private _timer: ReturnType<typeof setTimeout> | undefined;
}
