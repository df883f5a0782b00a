/** Where a person writes: a cell of a notebook, the prompt of a console, or a file; and what stands around. */

import { Text } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import type { CodeMirrorEditor, IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { IConsoleTracker } from '@jupyterlab/console';
import type { IEditorTracker } from '@jupyterlab/fileeditor';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Widget } from '@lumino/widgets';

import { type CompleteRequest, FIELDS, type NotebookContext } from '../../contract';
import type { KernelKnowledge } from '../kernel/kernels';
import { nextCode } from '../notebook/cells';
import { isOffIn } from '../notebook/consent';
import type { CellMirror } from '../notebook/mirror';
import type { IAnchor } from '../requests/suggestion';
import { languageName } from './language';
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

const SCOPE_CHARS = FIELDS.CompleteRequest.scope.maxLength;

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
  return spot(places, widget, notebook?.activeCell?.editor, panel?.context.path ?? '', {
    isOff: isOffIn(notebook?.model),
    context: () => (panel ? contextOf(panel, panel.content.activeCellIndex, places) : null)
  });
}

/** The notebook that this widget is; null: it is none, or its cells are not there yet. */
export function notebookIn(widget: Widget | null, places: IPlaces): NotebookPanel | null {
  const panel = places.notebooks?.find(one => one === widget);
  return panel && !panel.isDisposed && panel.context.isReady ? panel : null;
}

/** What stands around a cell of a notebook. */
function contextOf(panel: NotebookPanel, active: number, places: IPlaces): NotebookContext {
  const { variables, count } = places.kernels.of(panel.sessionContext);
  const models = panel.content.widgets.map(cell => cell.model);
  return { path: panel.context.path, ...places.mirror.read(models, active, count), variables };
}

/**
 * What would be asked where a person goes on to write code from the cell that is active: at the beginning of the
 * first code cell from there on, else of the last one before; null: nothing would be.
 *
 * It needs no editor: far from what is on the screen, a cell has none.
 */
export function atNextCode(
  widget: Widget | null,
  places: IPlaces,
  languagesOff: ReadonlySet<string>
): CompleteRequest | null {
  const panel = notebookIn(widget, places);
  if (!panel || isOffIn(panel.content.model)) {
    return null;
  }
  const { widgets, activeCellIndex, codeMimetype } = panel.content;
  const index = nextCode(
    widgets.map(cell => cell.model.type),
    activeCellIndex
  );
  const cell = widgets[index];
  const language = languageOf(codeMimetype, places);
  if (!cell || languagesOff.has(language)) {
    return null;
  }
  const text = Text.of(cell.model.sharedModel.getSource().split('\n'));
  return {
    prefix: '',
    suffix: textAfter(text, 0),
    language,
    scope: scopeOf(panel.context.path),
    notebook: contextOf(panel, index, places)
  };
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
  const language = languageOf(editor.model.mimeType, places);
  return { widget, editor, view, language, scope: scopeOf(path), ...rest };
}

function languageOf(mimeType: string, places: IPlaces): string {
  return languageName(mimeType, places.languages?.findByMIME(mimeType)?.name);
}

function scopeOf(path: string): string {
  return path.slice(0, SCOPE_CHARS);
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
