/** A notebook of JupyterLab's own shared models, and as much of its widgets as the commands touch. */

import { YNotebook } from '@jupyter/ydoc';
import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';

export class FakeNotebook {
  constructor(...sources: string[]) {
    this.shared.insertCells(
      0,
      sources.map((source, index) => ({
        cell_type: 'code',
        id: `c${String(index + 1)}`,
        source,
        metadata: {}
      }))
    );
    this.cells = this.shared.cells.map(shared => {
      const model = {
        id: shared.id,
        type: shared.cell_type,
        trusted: true,
        outputs: { toJSON: () => [] },
        sharedModel: shared
      };
      return { model, readOnly: false, isDisposed: false } as unknown as Cell;
    });
    const { shared, cells } = this;
    this.panel = {
      isDisposed: false,
      content: {
        isDisposed: false,
        widgets: cells,
        model: { sharedModel: shared, defaultKernelLanguage: 'python' }
      },
      context: {
        path: 'a/b.ipynb',
        contentsModel: { writable: true },
        fileChanged: new Signal<object, unknown>({}),
        model: { readOnly: false, stateChanged: new Signal<object, unknown>({}) }
      },
      sessionContext: { statusChanged: new Signal<object, unknown>({}) }
    } as unknown as NotebookPanel;
  }

  readonly shared = YNotebook.create({ disableDocumentWideUndoRedo: true });
  readonly cells: Cell[];
  readonly panel: NotebookPanel;

  get sources(): string[] {
    return this.shared.cells.map(cell => cell.getSource());
  }

  cell(index: number): Cell {
    const found = this.cells[index];
    if (!found) {
      throw new Error('no such cell');
    }
    return found;
  }

  /** Take a cell away as JupyterLab does: its widget is left without a model. */
  remove(index: number): void {
    const [gone] = this.cells.splice(index, 1);
    this.shared.deleteCell(index);
    Object.assign(gone ?? {}, { isDisposed: true, model: null });
  }
}
