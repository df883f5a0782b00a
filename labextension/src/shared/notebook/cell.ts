/** What is read from a cell of a notebook. */

import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';

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
