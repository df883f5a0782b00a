/** What a command reads from a notebook. */

import type { Cell, CodeCell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';

import type { NotebookCell } from '../contract';
import type { INbformatOutput } from './traceback';

export function outputsOf(cell: Cell): INbformatOutput[] {
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
