/** Where a person writes: a cell of a notebook, the prompt of a console, or a file; and what stands around. */

import type { EditorView } from '@codemirror/view';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import type { CodeMirrorEditor, IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { IConsoleTracker } from '@jupyterlab/console';
import type { IEditorTracker } from '@jupyterlab/fileeditor';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { Widget } from '@lumino/widgets';

import type { CompleteRequest, NotebookContext } from '../contract';
import { isOffIn } from './consent';
import type { KernelKnowledge } from './kernels';
import { languageName } from './language';
import type { CellMirror } from './mirror';
import type { IAnchor } from './suggestion';
import { textAfter, textBefore } from './window';

export interface ISpot {
  readonly widget: Widget;
  readonly editor: CodeEditor.IEditor;
  readonly view: EditorView;
  readonly language: string;
  /** Whether the notebook says that it wants no suggestions. */
  readonly isOff: boolean;
  /** Path of what is edited. */
  readonly scope: string;
  /** What stands around the cell; null where there are no cells. */
  context(): NotebookContext | null;
}

/** What there may be in a page; Notebook 7's pages have one of them at a time. */
export interface IPlaces {
  notebooks: INotebookTracker | null;
  consoles: IConsoleTracker | null;
  files: IEditorTracker | null;
  languages: IEditorLanguageRegistry | null;
  mirror: CellMirror;
  kernels: KernelKnowledge;
}

const SCOPE_CHARS = 1024;

/** Where in this widget a person writes now; null: nowhere. */
export function findSpot(widget: Widget | null, places: IPlaces): ISpot | null {
  if (!widget || widget.isDisposed) {
    return null;
  }
  return notebookSpot(widget, places) ?? consoleSpot(widget, places) ?? fileSpot(widget, places);
}

function notebookSpot(widget: Widget, places: IPlaces): ISpot | null {
  const panel = places.notebooks?.find(one => one === widget);
  const notebook = panel?.content;
  const editor = notebook?.activeCell?.editor;
  const path = panel?.context.path ?? '';
  return spot(places, widget, editor, path, {
    isOff: isOffIn(notebook?.model),
    context: () => {
      const { variables, count } = places.kernels.of(panel?.sessionContext);
      const models = notebook?.widgets.map(cell => cell.model) ?? [];
      const cells = places.mirror.read(models, notebook?.activeCellIndex ?? -1, count);
      return { path, ...cells, variables };
    }
  });
}

function consoleSpot(widget: Widget, places: IPlaces): ISpot | null {
  const panel = places.consoles?.find(one => one === widget);
  const code = panel?.console;
  const session = code?.sessionContext;
  return spot(places, widget, code?.promptCell?.editor, session?.path ?? '', {
    isOff: false,
    context: () => {
      const { variables } = places.kernels.of(session);
      const models = [...(code?.cells ?? [])].map(cell => cell.model);
      // All that a console shows has run in its kernel, or in that of who shares it.
      return { path: session?.path ?? '', ...places.mirror.read(models, -1, Infinity), variables };
    }
  });
}

function fileSpot(widget: Widget, places: IPlaces): ISpot | null {
  const file = places.files?.find(one => one === widget);
  return spot(places, widget, file?.content.editor, file?.context.path ?? '', {
    isOff: false,
    context: () => null
  });
}

function spot(
  places: IPlaces,
  widget: Widget,
  editor: CodeEditor.IEditor | null | undefined,
  path: string,
  rest: Pick<ISpot, 'isOff' | 'context'>
): ISpot | null {
  const view = (editor as Partial<CodeMirrorEditor> | null | undefined)?.editor;
  if (!editor || !view || editor.isDisposed) {
    return null;
  }
  const mimeType = editor.model.mimeType;
  const language = languageName(mimeType, places.languages?.findByMIME(mimeType)?.name);
  return { widget, editor, view, language, scope: path.slice(0, SCOPE_CHARS), ...rest };
}

/** The place of the cursor now. */
export function anchorOf({ view }: Pick<ISpot, 'view'>): IAnchor {
  const { doc, selection } = view.state;
  const { head } = selection.main;
  return { editor: view, prefix: textBefore(doc, head), suffix: textAfter(doc, head) };
}

/** A question whether text and cursor still are what they are now, and the person still there. */
export function liveness({ view }: ISpot): () => boolean {
  // CodeMirror's texts never change: another one is another object.
  const { doc, selection } = view.state;
  const { head } = selection.main;
  return () => {
    const { main } = view.state.selection;
    return view.state.doc === doc && main.empty && main.head === head && view.hasFocus;
  };
}

/** What is asked about a place; how the answer should be is up to who asks. */
export function requestOf(spot: ISpot, anchor: IAnchor): CompleteRequest {
  const { prefix, suffix } = anchor;
  const { language, scope } = spot;
  return { prefix, suffix, language, scope, notebook: spot.context() };
}
