/** Watches the editors of the page: keys, fresh lines, and a cursor that goes elsewhere. */

import { type EditorState, type Extension, StateField } from '@codemirror/state';
import { EditorView, type ViewUpdate } from '@codemirror/view';
import { ySyncAnnotation } from '@jupyterlab/codemirror';

export interface IWatcher {
  /** The text has changed, whoever has done it. */
  changed(view: EditorView): void;
  /** A person has changed it. */
  typed(view: EditorView, isInsertion: boolean): void;
  /** The cursor went elsewhere without a change: on its line, or to another one. */
  moved(view: EditorView, isOtherLine: boolean): void;
  /** The editor has lost the focus. */
  left(view: EditorView): void;
}

/** Whether the last change was made in this editor, and not brought into it from the shared document. */
const isLocal = StateField.define<boolean>({
  create: () => true,
  update: (before, change) =>
    change.docChanged ? change.annotation(ySyncAnnotation) === undefined : before
});

/**
 * Whether the text is as somebody at this editor has left it.
 *
 * It is not after a change by a collaborator, by an undo, or by a command that writes into the document.
 */
export function isEditedHere(state: EditorState): boolean {
  return state.field(isLocal, false) ?? true;
}

export function watch(watcher: IWatcher): Extension {
  const listener = EditorView.updateListener.of(update => {
    if (update.docChanged) {
      watcher.changed(update.view);
      if (is(update, 'input') || is(update, 'delete')) {
        watcher.typed(update.view, is(update, 'input'));
      }
    } else if (hasMoved(update)) {
      watcher.moved(update.view, line(update.startState) !== line(update.state));
    } else if (update.focusChanged && !update.view.hasFocus && !isOnWidget()) {
      watcher.left(update.view);
    }
  });
  return [isLocal, listener];
}

function hasMoved({ startState, state, selectionSet }: ViewUpdate): boolean {
  return selectionSet && !startState.selection.main.eq(state.selection.main);
}

function line({ doc, selection }: EditorState): number {
  return doc.lineAt(selection.main.head).from;
}

/** Whether the focus went to the small toolbar that JupyterLab shows with a ghost text. */
function isOnWidget(): boolean {
  return !!document.activeElement?.closest('.jp-InlineCompleter');
}

function is(update: ViewUpdate, event: string): boolean {
  return update.transactions.some(one => one.isUserEvent(event));
}
