/** What has become of a cell whose widget JupyterLab has taken away. Pure. */

export type RemovalReason = 'removed' | 'merged' | 'moved' | 'retyped' | 'reloaded';

/** A cell as it stands in a notebook. */
export interface ICellSnapshot {
  id: string;
  type: string;
  source: string;
}

/**
 * @param cell The cell, as it was last.
 * @param standing The cells that the notebook has now.
 * @param stay Whether other cells of the notebook have stayed.
 */
export function removalReason(
  cell: ICellSnapshot,
  standing: readonly ICellSnapshot[],
  stay: boolean
): RemovalReason {
  // JupyterLab moves a cell, or changes its type, by putting another one of the same id in its place.
  const heir = standing.find(({ id }) => id === cell.id);
  if (heir) {
    return heir.type !== cell.type ? 'retyped' : stay ? 'moved' : 'reloaded';
  }
  // Of cells that are merged, none keeps its id.
  const isMerged =
    cell.source.trim() !== '' &&
    standing.some(
      ({ source }) => source.length > cell.source.length && source.includes(cell.source)
    );
  return isMerged ? 'merged' : 'removed';
}
