/** The cells that a traceback goes through. Pure. */

import type { NotebookCell } from '../contract';

/** Cells with those last that a traceback goes through: the last ones are the last to be left out. */
export function framesLast(
  cells: readonly NotebookCell[],
  traceback: string
): readonly NotebookCell[] {
  const counts = new Set(
    Array.from(traceback.matchAll(/\bCell In\s?\[(\d+)\]/g), ([, count]) => Number(count))
  );
  const isFrame = ({ execution_count: count }: NotebookCell): boolean =>
    typeof count === 'number' && counts.has(count);
  return counts.size === 0
    ? cells
    : [...cells.filter(cell => !isFrame(cell)), ...cells.filter(isFrame)];
}
