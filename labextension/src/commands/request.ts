/** The request that a command makes of a cell. Pure. */

import type { Command, GenerateRequest, NotebookCell } from '../contract';

/** So many characters of the cells above go along, the nearest ones first. */
const CONTEXT_CHARS = 8000;

export interface IAsked {
  command: Command;
  code: string;
  language: string;
  /** The cells above, in document order. */
  above: readonly NotebookCell[];
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
