/** From a cell to a request, and from an answer to the cell's new text. Pure. */

import type { GenerateRequest, KernelVariable, NotebookCell } from '../contract';
import type { RefusalReason, TextCheck } from '../shared/notebook/cellWriter';
import { type INbformatOutput, tracebackOf } from '../shared/notebook/outputs';
import { commentAt } from './comment';
import { type CellCommand, SHOWN_AS_CHANGES } from './names';
import { generateRequest } from './request';
import { cellMagicOf, growing, insertedBelow, type ITarget, replaced, targetOf } from './target';
import { framesLast } from './traceback';

export interface ICellView {
  source: string;
  /** The ends of the selection; equal where there is none. */
  anchor: number;
  head: number;
  language: string;
  outputs: readonly INbformatOutput[];
  above: readonly NotebookCell[];
  below?: readonly NotebookCell[];
  variables?: readonly KernelVariable[];
  /** Whether to explain the error in the output. */
  isAboutError?: boolean;
}

/** What keeps a command from beginning. `away`: nobody can be asked, and there is something to keep. */
export type Obstacle = 'no-code' | 'no-comment' | 'no-error' | 'away' | RefusalReason;

export interface IComposed {
  request: GenerateRequest;
  /** The cell with the answer's code in its place; `isWhole` once no more of it will come. */
  apply(code: string, isWhole: boolean): string;
  /** Looks at the cell's new text when it is to be written; absent where any text will do. */
  check?: TextCheck;
}

/** For the model; so it is not translated. */
const EXPLAIN_ERROR =
  'Explain the error: what it means, which line causes it and why, and how to correct it.';

export function compose(
  command: CellCommand,
  cell: ICellView,
  refinements: readonly string[]
): IComposed | Obstacle {
  return command === 'generate'
    ? composeNew(cell, refinements)
    : composeOn(command, cell, refinements);
}

function composeNew(cell: ICellView, refinements: readonly string[]): IComposed | Obstacle {
  const { source, language, above } = cell;
  const comment = commentAt(source, Math.max(cell.anchor, cell.head), language);
  if (!comment) {
    return 'no-comment';
  }
  const before: NotebookCell = { kind: 'code', source: source.slice(0, comment.end) };
  return {
    request: generateRequest({
      command: 'generate',
      code: '',
      language,
      above: [...above, before],
      description: comment.text,
      refinements,
      variables: cell.variables,
      cellMagic: cellMagicOf(source)
    }),
    apply: code => (code === '' ? source : insertedBelow(source, comment.end, code))
  };
}

function composeOn(
  command: CellCommand,
  cell: ICellView,
  refinements: readonly string[]
): IComposed | Obstacle {
  const { source, language, above } = cell;
  const target: ITarget = targetOf(source, cell.anchor, cell.head);
  if (target.code.trim() === '') {
    return 'no-code';
  }
  // The rest of the cell follows what is selected.
  const rest: NotebookCell[] = [{ kind: 'code', source: source.slice(target.to) }];
  const error = command === 'fix' || cell.isAboutError ? tracebackOf(cell.outputs) : '';
  if (error === null) {
    return 'no-error';
  }
  const description = command === 'explain' && cell.isAboutError ? EXPLAIN_ERROR : '';
  return {
    request: generateRequest({
      command,
      code: target.code,
      language,
      above: framesLast(above, error),
      error,
      description,
      refinements,
      below: SHOWN_AS_CHANGES.has(command) ? [...rest, ...(cell.below ?? [])] : [],
      variables: cell.variables,
      cellMagic: target.from > 0 ? cellMagicOf(source) : ''
    }),
    apply: (code, isWhole) =>
      code === '' ? source : replaced(source, target, isWhole ? code : growing(target.code, code))
  };
}
