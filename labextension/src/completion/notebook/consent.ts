/** Whether a notebook wants suggestions: it says so in its own metadata, and takes that along. Pure. */

const KEY = 'localcoder';

/** The part of a notebook's model that is used here. */
export interface IMetadata {
  getMetadata(key: string): unknown;
  setMetadata(key: string, value: unknown): void;
  deleteMetadata(key: string): void;
}

export function isOffIn(notebook: IMetadata | null | undefined): boolean {
  return ours(notebook).completion === false;
}

/** Switch it off or on; what else stands under our key stays. */
export function setOffIn(notebook: IMetadata, isOff: boolean): void {
  const changed = ours(notebook);
  delete changed.completion;
  if (isOff) {
    changed.completion = false;
  }
  if (Object.keys(changed).length > 0) {
    notebook.setMetadata(KEY, changed);
  } else {
    notebook.deleteMetadata(KEY);
  }
}

function ours(notebook: IMetadata | null | undefined): Record<string, unknown> {
  const found = notebook?.getMetadata(KEY);
  return typeof found === 'object' && found !== null ? { ...found } : {};
}
