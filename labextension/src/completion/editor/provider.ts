/** Ghost text for JupyterLab: its interface for inline completion on one side, our questions on the other. */

import {
  type CompletionHandler,
  type IInlineCompletionContext,
  type IInlineCompletionItem,
  type IInlineCompletionList,
  type IInlineCompletionProvider,
  InlineCompletionTriggerKind
} from '@jupyterlab/completer';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { JSONValue } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';

import type { Doubt } from '../../contract';
import type { Control } from '../control';
import type { Asker, CompletionCause } from '../requests/asker';
import type { Suggestion } from '../requests/suggestion';
import { isWorthAsking } from './cursorText';
import type { Ghosts } from './ghosts';
import { anchorOf, type ISpot, liveness, requestOf } from './spot';
import { isEditedHere } from './watch';

/** A suggestion on the screen, for as long as the text and the cursor stay. */
interface IShown {
  readonly suggestion: Suggestion;
  readonly spot: ISpot;
  readonly turn: number;
  isLive(): boolean;
}

export interface IProviderOptions {
  name: string;
  icon: LabIcon;
  asker: Asker;
  control: Control;
  ghosts: Ghosts;
  findSpot: (widget: Widget) => ISpot | null;
}

export class GhostTextProvider implements IInlineCompletionProvider {
  constructor(private readonly _given: IProviderOptions) {
    this.name = _given.name;
    this.icon = _given.icon;
    _given.ghosts.chosen.connect((_, item) => {
      const shown = this._items.get(item);
      if (shown) {
        mark(shown);
        this._shown.emit({ text: item.insertText, doubt: shown.suggestion.doubt });
      }
    });
  }

  readonly identifier = 'jupyter-localcoder';
  readonly name: string;
  readonly icon: LabIcon;

  /** Where JupyterLab's own defaults are not ours; the person can change them in its settings. */
  readonly schema: ISettingRegistry.IProperty = {
    // A first answer on a cold cache takes seconds on a slow machine. The wait after a key is our own.
    default: { enabled: true, timeout: 30_000, debouncerDelay: 0, autoFillInMiddle: true }
  };

  /** A suggestion has its first text on the screen. */
  get appeared(): ISignal<this, { suggestion: Suggestion; language: string }> {
    return this._appeared;
  }

  /** A suggestion is complete on the screen. */
  get shown(): ISignal<this, { text: string; doubt: Doubt }> {
    return this._shown;
  }

  configure(settings: Record<string, JSONValue> | undefined): void {
    this._given.control.setEnabled(settings?.enabled !== false);
  }

  /** Run what makes JupyterLab `fetch`, and know there what it was for. */
  because(cause: CompletionCause, invoke: () => void): void {
    this._cause = cause;
    try {
      invoke();
    } finally {
      this._cause = null;
    }
  }

  async fetch(
    _request: CompletionHandler.IRequest,
    context: IInlineCompletionContext
  ): Promise<IInlineCompletionList> {
    const { asker, control, findSpot } = this._given;
    const turn = ++this._turn;
    this._tokens.clear();
    const spot = findSpot(context.widget);
    const isInvoked = context.triggerKind === InlineCompletionTriggerKind.Invoke;
    const cause = this._cause ?? (isInvoked ? 'demand' : 'typing');
    if (!spot || !this._isWanted(spot, cause)) {
      asker.stop('input');
      return { items: [] };
    }
    // Text and cursor are read from the editor, not from the request: there they count in the same units.
    const anchor = anchorOf(spot);
    const isLive = liveness(spot);
    const { minimumPrefix } = control.options;
    const isByItself = cause === 'typing' || cause === 'new-line';
    if (isByItself && !isWorthAsking(anchor.prefix, anchor.suffix, minimumPrefix)) {
      asker.stop('input');
      return { items: [] };
    }
    const suggestions = await asker.ask({
      cause,
      anchor,
      isLive,
      request: () => requestOf(spot, anchor)
    });
    if (turn !== this._turn) {
      return { items: [] };
    }
    const all = suggestions.map(suggestion => ({ suggestion, spot, turn, isLive }));
    const items = all.map((shown, index) => this._item(shown, `${turn}.${index}`));
    const [first] = all;
    // Alternatives come behind what is on the screen, and change nothing of it.
    if (first && cause !== 'alternatives') {
      mark(first);
      this._appear(first, items[0]?.insertText ?? '');
      if (first.suggestion.isOver) {
        this._tell(first, items[0]?.insertText ?? '');
      }
    }
    return { items };
  }

  async *stream(token: string): AsyncGenerator<{ response: IInlineCompletionItem }> {
    const shown = this._tokens.get(token);
    if (!shown) {
      return;
    }
    const { suggestion, turn } = shown;
    for (;;) {
      // JupyterLab has cut off by itself what was typed; what we say is over when it has asked again.
      if (turn !== this._turn || !shown.isLive()) {
        return;
      }
      const insertText = suggestion.remainder(anchorOf(shown.spot));
      if (insertText) {
        this._appear(shown, insertText);
        yield { response: { insertText, isIncomplete: !suggestion.isOver } };
      } else if (suggestion.isOver && !suggestion.error) {
        this._given.ghosts.dismiss(shown.spot.view); // It was taken back in the end.
      }
      if (suggestion.isOver) {
        mark(shown);
        this._tell(shown, insertText ?? '');
        return;
      }
      await suggestion.next();
    }
  }

  private _isWanted(spot: ISpot, cause: CompletionCause): boolean {
    const { control } = this._given;
    if (!control.isOn || spot.isOff || spot.view.state.readOnly) {
      return false;
    }
    if (cause === 'demand' || cause === 'alternatives') {
      return true;
    }
    return (
      control.options.mode === 'automatic' &&
      !control.options.languagesOff.has(spot.language) &&
      spot.view.hasFocus &&
      !spot.view.composing &&
      // JupyterLab asks after each change of the shared document, whoever has made it.
      isEditedHere(spot.view.state) &&
      // In the normal mode of the vim key map, keys are commands.
      !spot.view.scrollDOM.classList.contains('cm-vimMode')
    );
  }

  private _item(shown: IShown, token: string): IInlineCompletionItem {
    const { suggestion } = shown;
    const insertText = suggestion.remainder(anchorOf(shown.spot)) ?? '';
    const item: IInlineCompletionItem = { insertText };
    if (!suggestion.isOver) {
      this._tokens.set(token, shown);
      item.isIncomplete = true;
      item.token = token;
    }
    this._items.set(item, shown);
    return item;
  }

  private _appear({ suggestion, spot }: IShown, text: string): void {
    if (text !== '') {
      this._appeared.emit({ suggestion, language: spot.language });
    }
  }

  private _tell({ suggestion }: IShown, text: string): void {
    // Typing it through is no news.
    if (text !== '' && !this._told.has(suggestion)) {
      this._told.add(suggestion);
      this._shown.emit({ text, doubt: suggestion.doubt });
    }
  }

  private readonly _appeared = new Signal<this, { suggestion: Suggestion; language: string }>(this);
  private readonly _shown = new Signal<this, { text: string; doubt: Doubt }>(this);
  private readonly _tokens = new Map<string, IShown>();
  private readonly _items = new WeakMap<IInlineCompletionItem, IShown>();
  private readonly _told = new WeakSet<Suggestion>();
  private _cause: CompletionCause | null = null;
  private _turn = 0;
}

/** Show in the editor whether something speaks against its ghost text. */
function mark({ suggestion, spot }: IShown): void {
  spot.editor.host.classList.toggle('jp-LocalCoder-mod-doubtful', suggestion.doubt !== '');
}
