/** Which cells of a notebook go along with a request. Pure. */

/** Characters of all cells together. A notebook that is larger than this sends its most telling part. */
export const CONTEXT_CHARS = 300_000;
/** A single cell may have this share of them: data that was pasted must not push out all else. */
const SHARE_OF_ONE = 0.25;
/** The neighbours have this share of them before all cells that import or define. */
const SHARE_OF_NEIGHBOURS = 0.5;

/** Python's and its relatives' words for what other cells build on, at the start of a line. */
const DEFINES =
  /^(?:import|from|def|async def|class|using|library|require|function|struct|const|let)\b/m;

export interface ISized {
  readonly length: number;
  /** Whether other cells are likely to build on it. */
  readonly defines: boolean;
}

export function defines(source: string): boolean {
  return DEFINES.test(source);
}

/**
 * Indices of the cells that go along, ascending; the active one is always among them, and its size not counted.
 *
 * `cells` may have gaps (`null`) for cells that are not read yet. The nearest cells come first, then those that
 * import or define, then whatever is next. It does not depend on what is typed.
 */
export function chooseCells(
  cells: readonly (ISized | null)[],
  active: number,
  limit = CONTEXT_CHARS
): number[] {
  const order = outwards(cells.length, active).filter(
    index => (cells[index]?.length ?? Infinity) <= limit * SHARE_OF_ONE
  );
  const chosen = new Set<number>(active >= 0 && active < cells.length ? [active] : []);
  let left = limit;
  const take = (wanted: (cell: ISized) => boolean, until: number): void => {
    for (const index of order) {
      const cell = cells[index];
      if (cell && !chosen.has(index) && wanted(cell) && left - cell.length >= until) {
        chosen.add(index);
        left -= cell.length;
      }
    }
  };
  take(() => true, limit * (1 - SHARE_OF_NEIGHBOURS));
  take(cell => cell.defines, 0);
  take(() => true, 0);
  return [...chosen].sort((one, other) => one - other);
}

/** All indices but the middle one, the nearest first; of two at the same distance the one above. */
export function outwards(count: number, middle: number): number[] {
  const order: number[] = [];
  const from = middle < 0 ? count : middle;
  for (let distance = 1; distance <= Math.max(from, count - from); distance++) {
    if (from - distance >= 0) {
      order.push(from - distance);
    }
    if (from + distance < count) {
      order.push(from + distance);
    }
  }
  return order;
}

/** Index of the code cell where a person goes on from a cell: from there on, else the last one before; -1: none. */
export function nextCode(types: readonly string[], active: number): number {
  const after = types.indexOf('code', Math.max(0, active));
  return after >= 0 ? after : types.lastIndexOf('code');
}
