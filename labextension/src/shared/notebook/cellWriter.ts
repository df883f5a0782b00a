/**
 * The only way to write text into a notebook. It checks the cell when it writes, not before: between a
 * suggestion and the moment in which it is accepted, a cell can be changed, locked or removed.
 */

import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { JSONObject } from '@lumino/coreutils';

import { METADATA_KEY } from '../../contract';

/**
 * `gone`: the cell is not in the notebook any more. `locked-cell`, `locked-notebook`: it is read-only.
 * `empty`: there is no text. `stale`: the cell is not what the text was made from. `unfit`: a check says so.
 */
export type RefusalReason =
  'gone' | 'locked-cell' | 'locked-notebook' | 'empty' | 'stale' | 'unfit';

/** Why a text is not written. */
export interface IRefusal {
  reason: RefusalReason;
  /** What a check says is wrong, for `unfit`; else empty. */
  sentence: string;
}

/** Looks at a text before it takes the place of another; answers what is wrong with it, or nothing. */
export type TextCheck = (before: string, after: string) => string;

/** What the shared models of notebooks and cells have beyond their interface: the undo of their document. */
interface IUndoing {
  undoManager?: { stopCapturing(): void } | null;
}

export class CellWriter {
  constructor(
    private readonly _notebook: NotebookPanel,
    private readonly _cell: Cell,
    private readonly _check: TextCheck = () => ''
  ) {
    // Of a cell that is removed JupyterLab takes the model away, and its signals are still to be left.
    this.shared = _cell.model.sharedModel;
  }

  readonly shared: Cell['model']['sharedModel'];

  /** The text of the cell. */
  get source(): string {
    return this.shared.getSource();
  }

  /** What keeps the cell from being changed, whatever the change is. */
  get barrier(): IRefusal | null {
    if (this._isGone) {
      return refusal('gone');
    }
    if (this._cell.readOnly || this.shared.getMetadata('editable') === false) {
      return refusal('locked-cell');
    }
    return this._isNotebookLocked ? refusal('locked-notebook') : null;
  }

  /** What keeps a text from taking the place of the one that it was made from. */
  refusal(before: string, after: string): IRefusal | null {
    if (this.barrier) {
      return this.barrier;
    }
    if (this.source !== before) {
      return refusal('stale');
    }
    if (after.trim() === '') {
      return refusal('empty');
    }
    const sentence = this._check(before, after);
    return sentence === '' ? null : refusal('unfit', sentence);
  }

  /**
   * Change the text of the cell and keep whence it came, as one step that can be undone; or say why not.
   * `before` is what the new text was made from.
   */
  write(before: string, after: string, record: object | null): IRefusal | null {
    const found = this.refusal(before, after);
    if (found) {
      return found;
    }
    const { shared } = this;
    asOneStep(shared, () => {
      shared.transact(() => {
        if (record) {
          shared.setMetadata(METADATA_KEY, record as JSONObject);
        }
        const { from, to, text } = difference(before, after);
        shared.updateSource(from, to, text);
      });
    });
    return null;
  }

  /** Put a new cell below this one, as one step that can be undone; or say why not. It is not run. */
  insertBelow(kind: 'code' | 'markdown', source: string, record: object): IRefusal | null {
    const notebook = this._notebook.content.model?.sharedModel;
    if (!notebook || this._isGone) {
      return refusal('gone');
    }
    if (this._isNotebookLocked) {
      return refusal('locked-notebook');
    }
    if (source.trim() === '') {
      return refusal('empty');
    }
    const { trusted } = this._cell.model;
    const index = notebook.cells.findIndex(cell => cell === this.shared);
    asOneStep(notebook, () => {
      notebook.insertCell(index + 1, {
        cell_type: kind,
        source,
        metadata: {
          ...(kind === 'code' ? { trusted } : {}),
          [METADATA_KEY]: record as JSONObject
        }
      });
    });
    return null;
  }

  /** Its widget may still be there when its text is gone already, and the other way round. */
  private get _isGone(): boolean {
    const { isDisposed, content } = this._notebook;
    return (
      isDisposed ||
      this._cell.isDisposed ||
      !content.widgets.includes(this._cell) ||
      !content.model?.sharedModel.cells.some(cell => cell === this.shared)
    );
  }

  private get _isNotebookLocked(): boolean {
    const { model, contentsModel } = this._notebook.context;
    return model.readOnly || contentsModel?.writable === false;
  }
}

function refusal(reason: RefusalReason, sentence = ''): IRefusal {
  return { reason, sentence };
}

/** What is typed right before or after would otherwise be undone together with it. */
function asOneStep(shared: object, write: () => void): void {
  const undo = (shared as IUndoing).undoManager;
  undo?.stopCapturing();
  write();
  undo?.stopCapturing();
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
