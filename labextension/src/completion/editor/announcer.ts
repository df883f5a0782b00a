/** Says ghost text to screen readers: once, when it is complete and the person has stopped typing. */

import type { IDisposable } from '@lumino/disposable';

import type { Doubt } from '../../contract';
import type { Translate } from '../../shared/text/translate';

/** Somebody who types on does not want to be talked to. */
const CALM_MS = 500;
const LINE_CHARS = 200;

export class Announcer implements IDisposable {
  constructor(
    private readonly _trans: Translate,
    private readonly _isWanted: () => boolean
  ) {
    const region = (this._region = document.createElement('div'));
    region.className = 'jp-LocalCoder-spoken';
    region.setAttribute('role', 'status');
    region.setAttribute('aria-live', 'polite');
    region.dataset.localcoder = 'suggestion';
    document.body.append(region);
  }

  get isDisposed(): boolean {
    return !this._region.isConnected;
  }

  dispose(): void {
    clearTimeout(this._timer);
    this._region.remove();
  }

  /** A suggestion is on the screen. */
  say(text: string, doubt: Doubt): void {
    this.hush();
    if (this._isWanted()) {
      this._timer = setTimeout(() => {
        this._region.textContent = spoken(text, this._trans, doubt);
      }, CALM_MS);
    }
  }

  /** It is gone, or being typed through. */
  hush(): void {
    clearTimeout(this._timer);
    this._region.textContent = '';
  }

  private readonly _region: HTMLElement;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

/** What is said of a suggestion: its first line, how many follow, and what speaks against it. */
export function spoken(text: string, trans: Translate, doubt: Doubt = ''): string {
  return [lines(text, trans), against(doubt, trans)].filter(Boolean).join('. ');
}

function against(doubt: Doubt, trans: Translate): string {
  switch (doubt) {
    case 'syntax':
      return trans.__('It would cause a syntax error');
    case 'columns':
      return trans.__('It names a column that the data frame does not have');
    default:
      return ''; // Of these nothing is ever shown.
  }
}

function lines(text: string, trans: Translate): string {
  const all = text.split('\n').filter(line => line.trim() !== '');
  const first = (all[0] ?? '').trim().slice(0, LINE_CHARS);
  switch (all.length) {
    case 0:
      return '';
    case 1:
      return trans.__('Suggestion: %1', first);
    case 2:
      return trans.__('Suggestion: %1, and one more line', first);
    default:
      return trans.__('Suggestion: %1, and %2 more lines', first, all.length - 1);
  }
}
