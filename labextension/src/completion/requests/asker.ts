/**
 * Asks for suggestions, one place at a time.
 *
 * A request lives until its answer says something else than what was typed: typing ahead of it, or what the
 * suggestion says, keeps it and sends nothing. Everything else ends it on the server at once. An answer that
 * comes too late is never given out. While a suggestion is read, what follows it is asked for, so that it is there
 * after an accept.
 *
 * It must not know of JupyterLab, nor how a place is found.
 */

import { type ISignal, Signal } from '@lumino/signaling';

import {
  type CancelReason,
  CODES,
  type CompleteRequest,
  type Done,
  type Failed,
  type Frame
} from '../../contract';
import type { IChannel, IStream } from '../../shared/tokens';
import { isMultiline } from '../editor/cursorText';
import type { ICompletionOptions } from '../options';
import type { RequestGate } from './requestGate';
import { type IAnchor, Suggestion } from './suggestion';

/** What made us ask: a key, a fresh line, a shortcut, or alternatives that have come. */
export type CompletionCause = 'typing' | 'new-line' | 'demand' | 'alternatives';

export interface IAsk {
  readonly cause: CompletionCause;
  readonly anchor: IAnchor;
  /** Whether text and cursor still are what they were. */
  isLive(): boolean;
  /** The request, made only when it is sent; how it is to be answered is added to it. */
  request(): CompleteRequest;
}

export interface IAskerOptions {
  channel: IChannel;
  gate: RequestGate;
  options: () => ICompletionOptions;
  /** Whether work that may never be wanted is to be avoided now. */
  isOnBattery: () => boolean;
}

/** Far enough from greedy to say something else, near enough to make sense. */
const ALTERNATIVE_TEMPERATURE = 0.8;

export class Asker {
  constructor(options: IAskerOptions) {
    this._channel = options.channel;
    this._gate = options.gate;
    this._options = options.options;
    this._isOnBattery = options.isOnBattery;
  }

  /** A request has begun or ended. */
  get runningChanged(): ISignal<this, void> {
    return this._runningChanged;
  }

  /** Requests that the server works on for us. */
  get running(): number {
    return this._streams.size;
  }

  /** The last frame of each request, one that looks ahead included. */
  get ended(): ISignal<this, Done | Failed> {
    return this._ended;
  }

  /** An alternative has come for who asked by a shortcut: ask again, with this cause, to have it too. */
  get alternativeCame(): ISignal<this, IAsk> {
    return this._alternativeCame;
  }

  /**
   * Suggestions for a place, the best one first, as soon as the first of them has text.
   *
   * None, where there is none, or where somebody asked again, or `stop`ped, in the meantime.
   */
  async ask(ask: IAsk): Promise<Suggestion[]> {
    const turn = ++this._turn;
    let isNew = false;
    if (!this._keep(ask)) {
      isNew = this._advance(ask);
      if (!isNew) {
        this._cancel('input');
        if (!this._gate.allows(ask.cause === 'demand') || !(await this._pause(ask, turn))) {
          return [];
        }
        this._suggestions = [this._start(ask, {})];
        isNew = true;
      }
    }
    const [first] = this._suggestions;
    if (!first) {
      return [];
    }
    if (ask.cause === 'demand') {
      void this._alternatives(ask, first);
    } else if (isNew) {
      void this._lookAhead(ask, first);
    }
    while (!first.isOver && first.remainder(ask.anchor) === '') {
      await first.next();
      if (turn !== this._turn) {
        return [];
      }
    }
    if (!ask.isLive()) {
      return [];
    }
    if (first.remainder(ask.anchor) === null && !first.error) {
      return this.ask(ask); // The typing ran ahead, and what came then said something else.
    }
    return this._suggestions.filter(one => one.remainder(ask.anchor));
  }

  /** The text has changed, to this: what no longer belongs there ends, whether or not anybody asks again. */
  follow(at: IAnchor): void {
    const all = this._next ? [...this._suggestions, this._next] : this._suggestions;
    if (all.length > 0 && all.every(one => one.remainder(at) === null)) {
      this._cancel('input');
    }
  }

  /** Nothing is wanted any more: the cursor has moved, the person said so, the editor is gone. */
  stop(reason: CancelReason = 'user'): void {
    this._turn++;
    this._cancel(reason);
  }

  /** Keep the suggestions that say what was typed; answers whether there are any. */
  private _keep(ask: IAsk): boolean {
    const kept = this._suggestions.filter(one => belongs(one, ask.anchor));
    if (kept.length === 0) {
      return false;
    }
    const isMore = ask.cause === 'alternatives';
    for (const [suggestion, stream] of this._streams) {
      if (!kept.includes(suggestion) && suggestion !== this._next && !isMore) {
        end(suggestion, stream, 'input');
      }
    }
    this._suggestions = kept;
    return true;
  }

  /** Go on with what was asked for ahead, where it belongs here; answers whether it does. */
  private _advance(ask: IAsk): boolean {
    const next = this._next;
    if (!next || ask.cause === 'alternatives' || !belongs(next, ask.anchor)) {
      return false;
    }
    const stream = this._streams.get(next);
    this._streams.delete(next);
    this._cancel('input');
    if (stream) {
      this._streams.set(next, stream);
    }
    this._suggestions = [next];
    return true;
  }

  /**
   * Ask for what follows a suggestion, as if it had been accepted, while the person reads it.
   *
   * One at a time, and only after the suggestion has come: it delays nothing that is on the screen.
   */
  private async _lookAhead(ask: IAsk, shown: Suggestion): Promise<void> {
    await shown.whole();
    const isGood = shown.text.trim() !== '' && !shown.error && shown.doubt === '';
    const isWanted = this._options().lookAhead && !this._isOnBattery();
    if (!isGood || !isWanted || this._suggestions[0] !== shown) {
      return;
    }
    const { editor, suffix } = shown.anchor;
    const anchor = { editor, suffix, prefix: shown.anchor.prefix + shown.text };
    const request = (): CompleteRequest => ({ ...ask.request(), prefix: anchor.prefix });
    const multiline = isMultiline(anchor.prefix, suffix, this._options().lines, true);
    this._next = this._start({ ...ask, anchor, request }, { multiline, ahead: true });
  }

  /** Wait as long as the settings say; answers whether the question still stands. */
  private async _pause(ask: IAsk, turn: number): Promise<boolean> {
    if (ask.cause === 'alternatives') {
      return false; // They belong to a suggestion that is gone.
    }
    const milliseconds = ask.cause === 'typing' ? this._options().typingDelayMs : 0;
    if (milliseconds > 0) {
      await new Promise(resolve => setTimeout(resolve, milliseconds));
    }
    return turn === this._turn && ask.isLive();
  }

  private _start(ask: IAsk, how: Partial<CompleteRequest>): Suggestion {
    const suggestion = new Suggestion(ask.anchor);
    const { prefix, suffix } = ask.anchor;
    const onDemand = ask.cause === 'demand';
    const multiline = isMultiline(prefix, suffix, this._options().lines, onDemand);
    const { opening } = this._gate;
    const onFrame = (frame: Frame): void => {
      if (frame.type === 'delta') {
        suggestion.grow(frame.text);
      } else if (frame.type === 'done') {
        suggestion.finish(frame.text, frame.doubt);
      } else if (frame.type === 'error') {
        suggestion.fail(frame.error);
      }
    };
    const stream = this._channel.stream(
      'tab:complete',
      { ...ask.request(), multiline, automatic: !onDemand, ...how },
      onFrame
    );
    this._streams.set(suggestion, stream);
    this._runningChanged.emit();
    void stream.ended.then(frame => {
      this._streams.delete(suggestion);
      suggestion.close(frame.type === 'done' ? frame.model.id : '');
      // What was asked for ahead was wanted by nobody yet: its failure is no news.
      if (frame.type === 'error' && !how.ahead) {
        this._gate.failed(frame.error, onDemand, opening);
      }
      this._ended.emit(frame);
      this._runningChanged.emit();
    });
    return suggestion;
  }

  /** Others than the first one, for who wants to choose. They wait for it: it is wanted most. */
  private async _alternatives(ask: IAsk, first: Suggestion): Promise<void> {
    const round = this._round;
    await first.whole();
    const wanted = this._options().alternatives - this._suggestions.length;
    if (round !== this._round || !ask.isLive() || first.error || wanted <= 0) {
      return;
    }
    for (let one = 0; one < wanted; one++) {
      // Without a seed of ours: one with a seed is computed without the cache, and takes far longer.
      const other = this._start(ask, { temperature: ALTERNATIVE_TEMPERATURE });
      void this._add(ask, other, round);
    }
  }

  private async _add(ask: IAsk, other: Suggestion, round: number): Promise<void> {
    await other.whole();
    const text = other.remainder(ask.anchor)?.trimEnd();
    const isNew = this._suggestions.every(one => one.remainder(ask.anchor)?.trimEnd() !== text);
    // One that is in doubt is no choice.
    if (round === this._round && text && isNew && !other.doubt && ask.isLive()) {
      this._suggestions.push(other);
      this._alternativeCame.emit({ ...ask, cause: 'alternatives' });
    }
  }

  private _cancel(reason: CancelReason): void {
    this._round++;
    this._suggestions = [];
    this._next = null;
    for (const [suggestion, stream] of this._streams) {
      end(suggestion, stream, reason);
    }
  }

  private readonly _channel: IChannel;
  private readonly _gate: RequestGate;
  private readonly _options: () => ICompletionOptions;
  private readonly _isOnBattery: () => boolean;
  private readonly _runningChanged = new Signal<this, void>(this);
  private readonly _ended = new Signal<this, Done | Failed>(this);
  private readonly _alternativeCame = new Signal<this, IAsk>(this);
  private readonly _streams = new Map<Suggestion, IStream>();
  private _suggestions: Suggestion[] = [];
  /** What follows the first suggestion. */
  private _next: Suggestion | null = null;
  /** Grows with each question: the answer to an older one is not given out. */
  private _turn = 0;
  /** Grows when the suggestions are given up. */
  private _round = 0;
}

/** Whether a suggestion has something to say at a place, or may yet have. */
function belongs(suggestion: Suggestion, at: IAnchor): boolean {
  const remainder = suggestion.remainder(at);
  return remainder !== null && (remainder !== '' || !suggestion.isOver);
}

/** Nobody wants it any more: here that is so at once, on the server a little later. */
function end(suggestion: Suggestion, stream: IStream, reason: CancelReason): void {
  stream.cancel(reason);
  suggestion.fail({ code: CODES.CANCELED, message: '', recovery: '', details: {} });
}
