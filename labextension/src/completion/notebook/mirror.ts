/** Cells as the server wants them, made once and again only when they change. */

import type { ICellModel, ICodeCellModel } from '@jupyterlab/cells';

import { FIELDS, type NotebookCell } from '../../contract';
import { outputModels } from '../../shared/notebook/outputs';
import { chooseCells, defines, type ISized, outwards } from './cells';
import { headOf } from './frames';
import { outcome } from './outcome';

/** So long a single call may read cells; the others follow when the page has nothing else to do. */
const READING_MS = 8;
const ID_CHARS = FIELDS.NotebookCell.id.maxLength;

interface IMirroredCell extends ISized {
  readonly count: number | null;
  /** As it stands if it has run in this session. */
  readonly run: NotebookCell;
  /** As it stands if its outputs are from an earlier one. */
  readonly old: NotebookCell;
}

export class CellMirror {
  constructor(private readonly _now: () => number = () => performance.now()) {}

  /** Whether the first lines of data frames go along, with the values that stand in them. */
  setHeads(areWanted: boolean): void {
    if (areWanted !== this._areHeadsWanted) {
      this._areHeadsWanted = areWanted;
      this._known = new WeakMap();
    }
  }

  /**
   * The cells that go along with a request, in the order of the document, and where the active one is among
   * them (-1: nowhere).
   *
   * `kernelCount` is the execution count of the kernel: a higher one on a cell is from an earlier session.
   */
  read(
    models: readonly ICellModel[],
    active: number,
    kernelCount: number
  ): { cells: NotebookCell[]; active: number } {
    const entries = this._entries(models, active);
    const chosen = chooseCells(entries, active);
    const cells = chosen.map(index => {
      const entry = entries[index];
      if (index === active || !entry) {
        return bare(models[index]);
      }
      return entry.count !== null && entry.count <= kernelCount ? entry.run : entry.old;
    });
    return { cells, active: chosen.indexOf(active) };
  }

  /** Read what is not read yet, a little at a time, while the page has nothing else to do. */
  prepare(models: readonly ICellModel[]): void {
    const open = models.filter(model => !model.isDisposed && !this._known.has(model));
    if (open.length === 0) {
      return;
    }
    whenIdle(() => {
      const end = this._now() + READING_MS;
      while (open.length > 0 && this._now() < end) {
        const model = open.pop();
        if (model && !model.isDisposed) {
          this._read(model);
        }
      }
      this.prepare(open);
    });
  }

  private _entries(models: readonly ICellModel[], active: number): (IMirroredCell | null)[] {
    const end = this._now() + READING_MS;
    const entries = models.map(model => this._known.get(model) ?? null);
    let isComplete = true;
    if (entries.includes(null)) {
      for (const index of outwards(models.length, active)) {
        const model = models[index];
        if (model && !entries[index]) {
          if (this._now() >= end) {
            isComplete = false;
            break;
          }
          entries[index] = this._read(model);
        }
      }
    }
    if (!isComplete) {
      this.prepare(models);
    }
    return entries;
  }

  private _read(model: ICellModel): IMirroredCell {
    const known = this._known.get(model);
    if (known) {
      return known;
    }
    const source = model.sharedModel.getSource();
    const code = model.type === 'code' ? (model as ICodeCellModel) : null;
    const count = code?.executionCount ?? null;
    const { error, hint } = outcome(outputModels(model));
    const old: NotebookCell = { ...bare(model), source };
    const run: NotebookCell = {
      ...old,
      execution_count: count,
      status: error ? 'error' : 'ok',
      error,
      hint,
      ...(code && this._areHeadsWanted ? { head: headOf(outputModels(model)) } : {})
    };
    const entry = { length: source.length, defines: defines(source), count, run, old };
    this._known.set(model, entry);
    if (!this._followed.has(model)) {
      this._followed.add(model);
      model.contentChanged.connect(this._forget);
      model.stateChanged.connect(this._forget);
    }
    return entry;
  }

  private readonly _forget = (model: ICellModel): void => {
    this._known.delete(model);
  };

  private _areHeadsWanted = false;
  private _known = new WeakMap<ICellModel, IMirroredCell>();
  private readonly _followed = new WeakSet<ICellModel>();
}

/** A cell without its text, as the one with the cursor goes along. */
function bare(model: ICellModel | undefined): NotebookCell {
  const kind = model?.type === 'code' || model?.type === 'markdown' ? model.type : 'raw';
  return { id: (model?.id ?? '').slice(0, ID_CHARS), kind, source: '' };
}

function whenIdle(work: () => void): void {
  // Safari has no `requestIdleCallback`.
  if (typeof requestIdleCallback === 'function') {
    requestIdleCallback(work);
  } else {
    setTimeout(work, 20);
  }
}
