/** A suggested change of a cell, from its first line to its end: accepted, rejected, or overtaken. */

import { type ISignal, Signal } from '@lumino/signaling';

import type { IRefusal } from '../shared/notebook/cellWriter';

/**
 * `open`: it can be accepted, whole or by the hunk. `stale`: somebody else changed the cell, and what
 * was suggested for the former text is not put over it.
 */
export type ProposalState = 'open' | 'accepted' | 'rejected' | 'stale';

/** The text of a cell, and the one way to change it. */
export interface ICellText {
  readonly source: string;
  /** What keeps `after` from taking the place of `before`. */
  refusal(before: string, after: string): IRefusal | null;
  /** Change the text, as one step that can be undone; or leave it, and say why. */
  write(before: string, after: string): IRefusal | null;
}

export class Proposal {
  constructor(private readonly _cell: ICellText) {
    this._original = _cell.source;
    this._suggested = this._original;
    this._first = this._original;
  }

  get state(): ProposalState {
    return this._state;
  }

  /** Its state moved, a hunk was accepted or rejected, or what keeps it from being accepted is another. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The cell as it is, with the hunks that were accepted. */
  get original(): string {
    return this._original;
  }

  /** The cell as it would be, without the hunks that were rejected. */
  get suggested(): string {
    return this._suggested;
  }

  get isEmpty(): boolean {
    return this._suggested === this._original;
  }

  /** What keeps it from being accepted while it is open. */
  get refusal(): IRefusal | null {
    return this._state === 'open' ? this._cell.refusal(this._original, this._suggested) : null;
  }

  /** Whether it is overtaken, and still would change the cell as that is now. */
  get canRenew(): boolean {
    return this._state === 'stale' && this._cell.source !== this._suggested;
  }

  /** The same suggestion, for the cell as it is now. */
  renewed(): Proposal {
    const renewed = new Proposal(this._cell);
    renewed.suggest(this._suggested);
    return renewed;
  }

  /** More of the suggestion came. */
  suggest(source: string): void {
    if (this._state === 'open') {
      this._suggested = source;
    }
  }

  /** Put a text with some of the hunks into the cell; false where it was not put there. */
  acceptHunk(source: string): boolean {
    if (!this.check()) {
      return false;
    }
    const before = this._original;
    // First, for who hears of the change of the cell.
    this._original = source;
    const refusal = this._cell.write(before, source);
    if (refusal) {
      this._original = before;
      this._changed.emit();
      return false;
    }
    this._settle();
    return true;
  }

  /** Take hunks out of the suggestion. */
  rejectHunk(suggested: string): void {
    this.suggest(suggested);
    this._settle();
  }

  accept(): boolean {
    return this.acceptHunk(this._suggested);
  }

  reject(): void {
    if (this._state === 'open' || this._state === 'stale') {
      this._move('rejected');
    }
  }

  /** Whether it is open, and the cell still what it was made for. */
  check(): boolean {
    if (this._state === 'open' && this._cell.source !== this._original) {
      this._move('stale');
    } else {
      this._tell();
    }
    return this._state === 'open';
  }

  /** Say it when what keeps it from being accepted is another than before. */
  private _tell(): void {
    const told = this._told;
    this._told = this.refusal?.reason;
    if (this._told !== told) {
      this._changed.emit();
    }
  }

  /** When no hunk is left, it is over: accepted, if any of it was. */
  private _settle(): void {
    if (this._state === 'open' && this.isEmpty) {
      this._move(this._cell.source === this._first ? 'rejected' : 'accepted');
    } else {
      this._changed.emit();
    }
  }

  private _move(state: ProposalState): void {
    this._state = state;
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _original: string;
  private _suggested: string;
  private readonly _first: string;
  private _state: ProposalState = 'open';
  private _told: IRefusal['reason'] | undefined;
}
