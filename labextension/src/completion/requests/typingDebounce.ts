/**
 * How long to wait after a key before asking.
 *
 * An answer that comes before the next key is worth asking for at once. One that takes longer than that
 * is only seen in a pause, and each request before the pause is work for nothing: then the wait is
 * a good part of the usual time between two keys, so that few requests are started that the next key ends.
 */

/** A longer time between two keys is a pause for thought, and says nothing of the speed of typing. */
const THOUGHT_MS = 1000;
/** Weight of the newest value in the running means. */
const NEWEST = 0.25;
/** Share of the time between two keys that is waited. */
const SHARE = 0.7;
const SHORTEST_MS = 15;

export class TypingDebounce {
  constructor(private readonly _now: () => number = () => performance.now()) {}

  /** A key changed the text. */
  typed(): void {
    const now = this._now();
    const interval = now - this._lastKey;
    this._lastKey = now;
    if (interval < THOUGHT_MS) {
      this._intervalMs = mean(this._intervalMs, interval);
    }
  }

  /** The first text came so long after the request. */
  answered(milliseconds: number): void {
    this._latencyMs = this._latencyMs === null ? milliseconds : mean(this._latencyMs, milliseconds);
  }

  /** Milliseconds to wait now, at most `longest`. */
  delayMs(longest: number): number {
    if (this._latencyMs !== null && this._latencyMs <= this._intervalMs / 2) {
      return 0;
    }
    return Math.min(longest, Math.max(SHORTEST_MS, SHARE * this._intervalMs));
  }

  private _lastKey = -Infinity;
  /** A typist of 60 words a minute, until keys are counted. */
  private _intervalMs = 200;
  private _latencyMs: number | null = null;
}

function mean(former: number, newest: number): number {
  return former + NEWEST * (newest - former);
}
