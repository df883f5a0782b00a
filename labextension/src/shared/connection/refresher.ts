/** Runs a load one at a time, and once more if it was requested while one was running. */

export class Refresher {
  /** @param _pauseMs Minimum time between the end of a load and the start of the next one. */
  constructor(
    private readonly _load: () => Promise<void>,
    private readonly _pauseMs = 0
  ) {}

  /** Resolves when a load that began after this call has ended. It never rejects. */
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
    this._running = this._load()
      // The connection was lost, which the state of the channel shows.
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
