/** Asks on a fresh line, where JupyterLab never asks by itself. */

import type { EditorView } from '@codemirror/view';

import type { Control } from '../control';
import { isNewLine } from './cursorText';

/** Enter is often followed by the next key at once. */
const SHORTEST_MS = 60;

export class NewLines {
  /** `invoke` makes JupyterLab ask for what the editor needs. */
  constructor(
    private readonly _control: Control,
    private readonly _invoke: (view: EditorView) => void
  ) {}

  /** A person has put something into the text. */
  typed(view: EditorView): void {
    this.drop();
    const { isOn, options } = this._control;
    if (!isOn || options.mode !== 'automatic' || !options.newLines) {
      return;
    }
    const { doc, selection } = view.state;
    const { head } = selection.main;
    const line = doc.lineAt(head);
    const before = doc.sliceString(line.from, head);
    if (line.number === 1 || !isNewLine(before, doc.sliceString(head, line.to))) {
      return;
    }
    const wait = Math.max(SHORTEST_MS, options.typingDelayMs);
    this._timer = setTimeout(() => {
      if (view.state.doc === doc && view.state.selection.main.head === head && view.hasFocus) {
        this._invoke(view);
      }
    }, wait);
  }

  drop(): void {
    clearTimeout(this._timer);
  }

  private _timer: ReturnType<typeof setTimeout> | undefined;
}
