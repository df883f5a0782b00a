/** The request that a command makes of a cell. Pure. */

import type { Command, GenerateRequest, KernelVariable, NotebookCell } from '../contract';

/** So many characters of the cells above go along, the nearest ones first. */
const CONTEXT_CHARS = 8000;
/** Of the cells below, whose names a change must keep, the nearest ones first. No model reads them. */
const BELOW_CHARS = 200_000;

export interface IAsked {
  command: Command;
  code: string;
  language: string;
  /** The cells above, in document order. */
  above: readonly NotebookCell[];
  /** What follows the code, in document order; for a change. */
  below?: readonly NotebookCell[];
  /** What the kernel knows. */
  variables?: readonly KernelVariable[] | undefined;
  /** What code to write, for `generate`. */
  description?: string;
  /** The traceback, for `fix`. */
  error?: string;
  /** What the person added, in the order in which they did. */
  refinements: readonly string[];
  /** The lines of cell magics at the top, where the code is a part of what is below them. */
  cellMagic?: string;
}

export function generateRequest(asked: IAsked): GenerateRequest {
  const words = [asked.description ?? '', ...asked.refinements];
  return {
    command: asked.command,
    code: asked.code,
    instruction: words.filter(line => line.trim() !== '').join('\n'),
    error: asked.error ?? '',
    language: asked.language,
    context: nearest(asked.above),
    ...(asked.below?.length ? { below: first(asked.below) } : {}),
    ...(asked.variables?.length ? { variables: [...asked.variables] } : {}),
    ...(asked.cellMagic ? { cell_magic: asked.cellMagic } : {})
  };
}

/** The last of the cells that fit into the budget, whole ones only. */
function nearest(above: readonly NotebookCell[]): NotebookCell[] {
  const kept: NotebookCell[] = [];
  let left = CONTEXT_CHARS;
  for (const cell of [...above].reverse()) {
    if (cell.kind === 'raw' || cell.source.trim() === '') {
      continue;
    }
    left -= cell.source.length;
    if (left < 0) {
      break;
    }
    kept.unshift(cell);
  }
  return kept;
}

/** The first of the cells that fit, of those with code. */
function first(below: readonly NotebookCell[]): NotebookCell[] {
  let left = BELOW_CHARS;
  return below.filter(({ kind, source }) => {
    const isCode = kind === 'code' && source.trim() !== '';
    left -= isCode ? source.length : 0;
    return isCode && left >= 0;
  });
}
