/**
 * The ghost texts that JupyterLab shows, whoever they are from.
 *
 * JupyterLab makes an inline completer for each document, and has no way to ask for the one in use. So
 * the factory that makes them is asked to show each of them to us.
 */

import { EditorSelection } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import type {
  IInlineCompleterFactory,
  IInlineCompletionItem,
  InlineCompleter
} from '@jupyterlab/completer';
import { type ISignal, Signal } from '@lumino/signaling';

import type { AcceptedPart, ITextSource } from '../outcomes';

/** On the editor that shows a ghost text; JupyterLab's own shortcuts depend on it too. */
export const ACTIVE_CLASS = 'jp-mod-inline-completer-active';

/** A person takes what a ghost text says: each time is a step of its own for undo. */
interface IUndo {
  undoManager?: { stopCapturing(): void } | null;
}

export interface IAccepted {
  readonly text: string;
  readonly part: AcceptedPart;
  /** The text that it was written into. */
  readonly source: ITextSource;
}

export class Ghosts {
  constructor(factory: IInlineCompleterFactory | null) {
    if (factory) {
      const make = factory.factory.bind(factory);
      factory.factory = options => this._follow(make(options));
    }
  }

  /**
   * The text that is shown in the editor in use; empty where there is none.
   *
   * In use is the editor that has the focus, or whose ghost text has a toolbar that has it.
   */
  get text(): string {
    return this._active()?.current?.insertText ?? '';
  }

  /** Whether the editor in use shows one, which may still be empty. */
  get isShown(): boolean {
    return this._active() !== undefined;
  }

  /** A person has gone to another of several suggestions: this one is on the screen now. */
  get chosen(): ISignal<this, IInlineCompletionItem> {
    return this._chosen;
  }

  /** A part of it was written into the editor. */
  get accepted(): ISignal<this, IAccepted> {
    return this._accepted;
  }

  /** It was not taken: beside the cursors there is selected text, which it would replace. */
  get refused(): ISignal<this, void> {
    return this._refused;
  }

  /** Take the ghost text away, if there is one in this editor, or in the one in use. */
  dismiss(view?: EditorView): void {
    const active = this._active(view);
    const editor = active?.editor;
    active?.model?.reset();
    active?.update();
    // JupyterLab leaves the mark where what was typed is not what the ghost text says, and with it the shortcuts.
    editor?.host.classList.remove(ACTIVE_CLASS);
    if (active?.node.contains(document.activeElement)) {
      editor?.focus();
    }
  }

  /** Write the next piece of the ghost text at each cursor, as a step of its own for undo. */
  accept(piece: (text: string) => string, part: AcceptedPart): void {
    this._accept(this._active(), piece, part);
  }

  private _accept(
    active: InlineCompleter | undefined,
    piece: (text: string) => string,
    part: AcceptedPart
  ): void {
    const editor = active?.editor;
    const view = viewOf(editor);
    const text = piece(active?.current?.insertText ?? '');
    if (!editor || !view || text === '' || view.state.readOnly) {
      return;
    }
    if (view.state.selection.ranges.some(range => !range.empty)) {
      this._refused.emit();
      return;
    }
    asOneStep(editor, () => {
      view.dispatch(
        view.state.changeByRange(({ head }) => ({
          changes: { from: head, insert: text },
          range: EditorSelection.cursor(head + text.length)
        })),
        { userEvent: 'input.complete', scrollIntoView: true }
      );
    });
    this._accepted.emit({ text, part, source: editor.model.sharedModel });
  }

  private _follow(completer: InlineCompleter): InlineCompleter {
    this._completers.add(completer);
    completer.disposed.connect(() => this._completers.delete(completer));
    const accept = completer.accept.bind(completer);
    completer.accept = () => {
      if ((viewOf(completer.editor)?.state.selection.ranges.length ?? 0) > 1) {
        // JupyterLab may keep one cursor and drop the others.
        this._accept(completer, text => text, 'all');
        return;
      }
      const text = completer.current?.insertText ?? '';
      const source = completer.editor?.model.sharedModel;
      asOneStep(completer.editor, accept);
      if (text !== '' && source) {
        this._accepted.emit({ text, part: 'all', source });
      }
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
    return [...this._completers].find(({ editor, node }) => {
      const own = viewOf(editor);
      const isInUse = own?.hasFocus === true || node.contains(document.activeElement);
      return !!editor?.host.classList.contains(ACTIVE_CLASS) && (view ? own === view : isInUse);
    });
  }

  private readonly _chosen = new Signal<this, IInlineCompletionItem>(this);
  private readonly _accepted = new Signal<this, IAccepted>(this);
  private readonly _refused = new Signal<this, void>(this);
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
