/** One suggestion: what the server answers for one place, while it comes and after. */

import { PromiseDelegate } from '@lumino/coreutils';

import type { Doubt, ErrorPayload } from '../../contract';

/** A place in a text: where the cursor stood, and what stood around it. */
export interface IAnchor {
  /** Tells one editor from another. */
  readonly editor: object;
  readonly prefix: string;
  readonly suffix: string;
}

export class Suggestion {
  constructor(readonly anchor: IAnchor) {}

  /** Id of the model that writes it, known when the server has ended the request; empty where it has failed. */
  get model(): Promise<string> {
    return this._model.promise;
  }

  /** What has come so far. */
  get text(): string {
    return this._text;
  }

  /** Whether nothing more comes. */
  get isOver(): boolean {
    return this._isOver;
  }

  /** What speaks against it, where the server shows such ones all the same. */
  get doubt(): Doubt {
    return this._doubt;
  }

  /** Why it has failed, if it has. */
  get error(): ErrorPayload | null {
    return this._error;
  }

  /**
   * What of it is still to be written at this place, or `null` where it does not belong.
   *
   * It belongs where it was asked for, and wherever that place becomes by typing what it says. While it
   * comes, the typing may also run ahead of it: a person types faster than many machines answer, and a request
   * that each key ended would never have an answer. Before the first text comes, a line break ends it.
   */
  remainder(at: IAnchor): string | null {
    const { editor, prefix, suffix } = this.anchor;
    if (this._error || at.editor !== editor || at.suffix !== suffix) {
      return null;
    }
    if (!at.prefix.startsWith(prefix)) {
      return null;
    }
    const typed = at.prefix.slice(prefix.length);
    if (this._text.startsWith(typed)) {
      return this._text.slice(typed.length);
    }
    const mayCome = !this._isOver && (this._text !== '' || !typed.includes('\n'));
    return mayCome && typed.startsWith(this._text) ? '' : null;
  }

  /** A piece more has come. */
  grow(piece: string): void {
    if (!this._isOver) {
      this._text += piece;
      this._tell();
    }
  }

  /** All has come, and this is the whole of it. */
  finish(text: string, doubt: Doubt = ''): void {
    if (!this._isOver) {
      this._text = text;
      this._doubt = doubt;
      this._isOver = true;
      this._tell();
    }
  }

  /** Nothing more comes; what came stays, without a promise that it is whole. */
  fail(error: ErrorPayload): void {
    if (!this._isOver) {
      this._error = error;
      this._isOver = true;
      this._tell();
    }
  }

  /** The server has ended the request, with this model; one that nobody wants any more was over before. */
  close(model: string): void {
    this._model.resolve(model);
  }

  /** Settles when more has come, or the end; at once after the end. */
  next(): Promise<void> {
    return this._isOver ? Promise.resolve() : this._change.promise;
  }

  /** Settles when nothing more comes. */
  async whole(): Promise<void> {
    while (!this._isOver) {
      await this.next();
    }
  }

  private _tell(): void {
    const change = this._change;
    this._change = new PromiseDelegate<void>();
    change.resolve();
  }

  private _text = '';
  private readonly _model = new PromiseDelegate<string>();
  private _doubt: Doubt = '';
  private _isOver = false;
  private _error: ErrorPayload | null = null;
  private _change = new PromiseDelegate<void>();
}
