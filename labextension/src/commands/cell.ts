/** What a command reads from a notebook. */

import type { Cell, ICodeCellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';

import type { NotebookCell } from '../contract';

/** The cells above one, in document order. */
export function cellsAbove(panel: NotebookPanel, cell: Cell): NotebookCell[] {
  const cells = panel.content.widgets;
  return cells.slice(0, Math.max(0, cells.indexOf(cell))).map(read);
}

/** The cells below one, in document order. */
export function cellsBelow(panel: NotebookPanel, cell: Cell): NotebookCell[] {
  const cells = panel.content.widgets;
  const at = cells.indexOf(cell);
  return at < 0 ? [] : cells.slice(at + 1).map(read);
}

function read({ model }: Cell): NotebookCell {
  const count = model.type === 'code' ? (model as ICodeCellModel).executionCount : null;
  return {
    id: model.id,
    kind: model.type === 'markdown' || model.type === 'raw' ? model.type : 'code',
    source: model.sharedModel.getSource(),
    ...(count === null ? {} : { execution_count: count })
  };
}
