/**
 * Has the server read what will be needed: a notebook was opened, a cell or another line of it entered, a run
 * has ended.
 */

import type { CompleteRequest } from '../../contract';
import type { IChannel } from '../../shared/tokens';

/** Who walks through cells or lines with the arrow keys wants none of them read. */
const CALM_MS = 300;

/** What may be read ahead in the page as it is now. */
export interface IAhead {
  /** What would be asked at the cursor; null where nothing would be. */
  atCursor(): CompleteRequest | null;
  /** The notebook in front, once its cells are there. */
  notebook(): object | null;
  /** What would be asked at the code where a person goes on from the cell that is active; null: there is none. */
  atNextCode(): CompleteRequest | null;
}

export class WarmAhead {
  constructor(
    private readonly _channel: IChannel,
    private readonly _isWanted: () => boolean,
    private readonly _ahead: IAhead
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
    if (!this._isWanted() || this._channel.state !== 'open') {
      return;
    }
    const notebook = this._ahead.notebook();
    // Once for each notebook: who reads on through its texts is about to read, and not to write.
    const isOpening = notebook !== null && !this._opened.has(notebook);
    if (isOpening) {
      this._opened.add(notebook);
    }
    const request = this._ahead.atCursor() ?? (isOpening ? this._ahead.atNextCode() : null);
    if (request) {
      // It is a favour: where it fails, the next completion does without.
      this._channel.request('tab:warm', request).catch(() => undefined);
    }
  }

  private readonly _opened = new WeakSet();
  private _timer: ReturnType<typeof setTimeout> | undefined;
}
