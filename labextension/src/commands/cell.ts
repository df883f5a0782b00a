/** What a command reads from a notebook, and how it writes to a cell. */

import type { Cell, CodeCell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { JSONObject } from '@lumino/coreutils';

import { METADATA_KEY } from '../answers/provenance';
import type { NotebookCell } from '../contract';
import type { IOutput } from './traceback';

export interface ISelection {
  anchor: number;
  head: number;
}

export function selectionOf(cell: Cell): ISelection {
  const editor = cell.editor;
  if (!editor) {
    return { anchor: 0, head: 0 };
  }
  const { start, end } = editor.getSelection();
  return { anchor: editor.getOffsetAt(start), head: editor.getOffsetAt(end) };
}

export function languageOf(panel: NotebookPanel): string {
  const language = panel.content.model?.defaultKernelLanguage.toLowerCase() ?? '';
  return language === '' ? 'python' : language;
}

export function outputsOf(cell: Cell): IOutput[] {
  return cell.model.type === 'code' ? (cell as CodeCell).model.outputs.toJSON() : [];
}

/** The cells above one, in document order. */
export function cellsAbove(panel: NotebookPanel, cell: Cell): NotebookCell[] {
  const cells = panel.content.widgets;
  return cells.slice(0, Math.max(0, cells.indexOf(cell))).map(one => ({
    id: one.model.id,
    kind: one.model.type === 'markdown' || one.model.type === 'raw' ? one.model.type : 'code',
    source: one.model.sharedModel.getSource()
  }));
}

/** What the shared models of cells have beyond their interface: the undo of their document. */
interface IUndoing {
  undoManager?: { stopCapturing(): void } | null;
}

/** Change the text of a cell and keep whence it came, as one step that can be undone. */
export function write(cell: Cell, source: string, record: object | null): void {
  const shared = cell.model.sharedModel;
  const undo = (shared as IUndoing).undoManager;
  const before = shared.getSource();
  // What is typed right before or after would otherwise be undone together with it.
  undo?.stopCapturing();
  shared.transact(() => {
    if (record) {
      shared.setMetadata(METADATA_KEY, record as JSONObject);
    }
    const { from, to, text } = difference(before, source);
    shared.updateSource(from, to, text);
  });
  undo?.stopCapturing();
}

/** Put a new cell below one. It is not run. */
export function insertBelow(
  panel: NotebookPanel,
  cell: Cell,
  kind: 'code' | 'markdown',
  source: string,
  record: object
): void {
  const notebook = panel.content.model;
  const index = panel.content.widgets.indexOf(cell);
  if (!notebook || index < 0) {
    return;
  }
  const { trusted } = cell.model;
  notebook.sharedModel.insertCell(index + 1, {
    cell_type: kind,
    source,
    metadata: {
      ...(kind === 'code' ? { trusted } : {}),
      [METADATA_KEY]: record as JSONObject
    }
  });
}

/** The one range in which two texts differ, so that cursors and marks outside of it stay. */
function difference(before: string, after: string): { from: number; to: number; text: string } {
  const shortest = Math.min(before.length, after.length);
  let from = 0;
  while (from < shortest && before.charCodeAt(from) === after.charCodeAt(from)) {
    from++;
  }
  let tail = 0;
  while (
    tail < shortest - from &&
    before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)
  ) {
    tail++;
  }
  return { from, to: before.length - tail, text: after.slice(from, after.length - tail) };
}
