/**
 * The ghost texts that JupyterLab shows, whoever they are from.
 *
 * JupyterLab makes an inline completer for each document, and has no way to ask for the one in use. So
 * the factory that makes them is asked to show each of them to us.
 */

import type { EditorView } from '@codemirror/view';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import type {
  IInlineCompleterFactory,
  IInlineCompletionItem,
  InlineCompleter
} from '@jupyterlab/completer';
import { type ISignal, Signal } from '@lumino/signaling';

/** On the editor that shows a ghost text; JupyterLab's own shortcuts depend on it too. */
export const ACTIVE_CLASS = 'jp-mod-inline-completer-active';

/** A person takes what a ghost text says: each time is a step of its own for undo. */
interface IUndo {
  undoManager?: { stopCapturing(): void } | null;
}

export class Ghosts {
  constructor(factory: IInlineCompleterFactory | null) {
    if (factory) {
      const make = factory.factory.bind(factory);
      factory.factory = options => this._follow(make(options));
    }
  }

  /** The text that is shown in the editor that has the focus; empty where there is none. */
  get text(): string {
    return this._active()?.current?.insertText ?? '';
  }

  /** Whether the editor that has the focus shows one, which may still be empty. */
  get isShown(): boolean {
    return this._active() !== undefined;
  }

  /** A person has gone to another of several suggestions: this one is on the screen now. */
  get chosen(): ISignal<this, IInlineCompletionItem> {
    return this._chosen;
  }

  /** Take the ghost text away, if there is one in this editor, or in whichever has the focus. */
  dismiss(view?: EditorView): void {
    const active = this._active(view);
    active?.model?.reset();
    active?.update();
  }

  /** Write the next piece of the ghost text, as a step of its own for undo. */
  accept(piece: (text: string) => string): void {
    const active = this._active();
    const editor = active?.editor;
    const view = viewOf(editor);
    const text = piece(active?.current?.insertText ?? '');
    if (!editor || !view || text === '' || view.state.readOnly) {
      return;
    }
    const { head } = view.state.selection.main;
    asOneStep(editor, () => {
      view.dispatch({
        changes: { from: head, insert: text },
        selection: { anchor: head + text.length },
        userEvent: 'input.complete',
        scrollIntoView: true
      });
    });
  }

  private _follow(completer: InlineCompleter): InlineCompleter {
    this._completers.add(completer);
    completer.disposed.connect(() => this._completers.delete(completer));
    const accept = completer.accept.bind(completer);
    completer.accept = () => {
      asOneStep(completer.editor, accept);
    };
    const cycle = completer.cycle.bind(completer);
    completer.cycle = direction => {
      cycle(direction);
      if (completer.current) {
        this._chosen.emit(completer.current);
      }
    };
    return completer;
  }

  private _active(view?: EditorView): InlineCompleter | undefined {
    return [...this._completers].find(({ editor }) => {
      const own = viewOf(editor);
      return (
        !!editor?.host.classList.contains(ACTIVE_CLASS) && (view ? own === view : own?.hasFocus)
      );
    });
  }

  private readonly _chosen = new Signal<this, IInlineCompletionItem>(this);
  private readonly _completers = new Set<InlineCompleter>();
}

function viewOf(editor: CodeEditor.IEditor | null | undefined): EditorView | undefined {
  return editor && !editor.isDisposed
    ? (editor as unknown as { editor?: EditorView }).editor
    : undefined;
}

function asOneStep(editor: CodeEditor.IEditor | null | undefined, write: () => void): void {
  const undo = (editor?.model.sharedModel as IUndo | undefined)?.undoManager;
  // What was typed within the last half second would else be undone along with it, and what comes next too.
  undo?.stopCapturing();
  write();
  undo?.stopCapturing();
}
