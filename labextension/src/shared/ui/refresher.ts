/** Asks for something anew: once at a time, and once more where that was wanted in the meantime. */

export class Refresher {
  /** @param _pauseMs Between an answer and the next question, however often that is wanted. */
  constructor(
    private readonly _ask: () => Promise<void>,
    private readonly _pauseMs = 0
  ) {}

  /** Resolves when what was known at the call is out of date no more. It never rejects. */
  run(): Promise<void> {
    if (this._running) {
      this._next ??= this._running
        .then(() => this._pause())
        .then(() => {
          this._next = null;
          return this.run();
        });
      return this._next;
    }
    this._running = this._ask()
      // The connection was lost, which the panels say already.
      .catch(() => undefined)
      .finally(() => {
        this._running = null;
      });
    return this._running;
  }

  private async _pause(): Promise<void> {
    if (this._pauseMs > 0) {
      await new Promise(resolve => setTimeout(resolve, this._pauseMs));
    }
  }

  private _running: Promise<void> | null = null;
  private _next: Promise<void> | null = null;
}
