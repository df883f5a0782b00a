/** Counts what becomes of suggestions: how many are shown, accepted, dismissed and kept; never what they say. */

import type { SuggestionOutcome } from '../contract';
import type { IChannel } from '../shared/tokens';
import type { Suggestion } from './requests/suggestion';

type Outcome = SuggestionOutcome['outcome'];

/** How much of a suggestion is accepted at once. */
export type AcceptedPart = 'all' | 'line' | 'word';

/** The text of a cell or a file. */
export interface ITextSource {
  readonly isDisposed: boolean;
  getSource(): string;
}

/** A suggestion that is on the screen for a shorter time was not read. */
export const SHOWN_AFTER_MS = 500;
/** Text that is still in its cell after this time is kept. */
export const KEPT_AFTER_MS = 60_000;

const OUTCOME: Record<AcceptedPart, Outcome> = {
  all: 'accepted',
  line: 'accepted_line',
  word: 'accepted_word'
};

interface ICounted {
  readonly suggestion: Suggestion;
  readonly language: string;
  isShown: boolean;
  accepted: string;
}

export class Outcomes {
  /** @param visible The ghost text in the editor in use; empty where there is none. */
  constructor(
    private readonly _channel: IChannel,
    private readonly _visible: () => string
  ) {}

  /** A suggestion has its first text on the screen. */
  appeared(suggestion: Suggestion, language: string): void {
    if (this._last?.suggestion === suggestion) {
      return;
    }
    const counted: ICounted = { suggestion, language, isShown: false, accepted: '' };
    this._last = counted;
    setTimeout(() => {
      if (this._last === counted && this._isOf(counted, this._visible())) {
        this._show(counted);
      }
    }, SHOWN_AFTER_MS);
  }

  /** A part of the ghost text was written into a cell or a file. */
  accepted(part: AcceptedPart, text: string, source: ITextSource): void {
    const counted = this._last;
    if (!counted || !this._isOf(counted, text)) {
      return; // It is a suggestion of somebody else.
    }
    this._show(counted);
    const isFirst = counted.accepted === '';
    counted.accepted += text;
    if (isFirst) {
      this._tell(counted, OUTCOME[part]);
      setTimeout(() => {
        if (!source.isDisposed && source.getSource().includes(counted.accepted)) {
          this._tell(counted, 'kept');
        }
      }, KEPT_AFTER_MS);
    }
  }

  /** A person has dismissed the ghost text with this text. */
  dismissed(text: string): void {
    const counted = this._last;
    if (counted && this._isOf(counted, text)) {
      this._last = null;
      this._show(counted);
      if (counted.accepted === '') {
        this._tell(counted, 'dismissed');
      }
    }
  }

  private _isOf({ suggestion }: ICounted, text: string): boolean {
    return text !== '' && suggestion.text.includes(text);
  }

  private _show(counted: ICounted): void {
    if (!counted.isShown) {
      counted.isShown = true;
      this._tell(counted, 'shown');
    }
  }

  /**
   * Send an outcome, in the order in which they happened.
   *
   * A suggestion can be accepted or dismissed before all of it has come: its model is known at the end.
   */
  private _tell({ suggestion, language }: ICounted, outcome: Outcome): void {
    this._sent = this._sent.then(async () => {
      const outcomes = [{ outcome, model: await suggestion.model, language }];
      this._channel.request('stats:record', { outcomes }).catch(() => {
        // It is not worth a word to the person.
      });
    });
  }

  private _sent: Promise<void> = Promise.resolve();
  private _last: ICounted | null = null;
}
