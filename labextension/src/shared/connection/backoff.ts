export interface IBackoffOptions {
  firstMs?: number;
  limitMs?: number;
  /** A number from 0 up to 1. */
  random?: () => number;
}

/**
 * How long to wait before the next attempt to connect.
 *
 * The wait doubles up to a limit. A random part keeps many pages from coming back in the same
 * moment after a server restart: full jitter over the upper half of the wait.
 */
export class Backoff {
  constructor(options: IBackoffOptions = {}) {
    this._firstMs = options.firstMs ?? 500;
    this._limitMs = options.limitMs ?? 30_000;
    this._random = options.random ?? Math.random;
    this._waitMs = this._firstMs;
  }

  /** Milliseconds to wait now; the next wait is longer. */
  next(): number {
    const wait = this._waitMs;
    this._waitMs = Math.min(wait * 2, this._limitMs);
    return (wait / 2) * (1 + this._random());
  }

  /** An attempt succeeded: start over with the shortest wait. */
  reset(): void {
    this._waitMs = this._firstMs;
  }

  private readonly _firstMs: number;
  private readonly _limitMs: number;
  private readonly _random: () => number;
  private _waitMs: number;
}
