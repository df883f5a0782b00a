/** An answer of the history becomes a cell. */

import type { INotebookTracker } from '@jupyterlab/notebook';

import { provenanceOf } from '../answers/provenance';
import { languageOf } from '../commands/cell';
import { Door, type IRefusal } from '../commands/door';
import type { Response } from '../contract';
import { cellOf } from './cell';

/** Put it below the active cell, its code where it has some; answers the kind of the cell, or why not. */
export function insertAnswer(
  tracker: INotebookTracker,
  response: Response
): 'code' | 'markdown' | IRefusal | null {
  const { currentWidget: panel, activeCell: cell } = tracker;
  if (!panel || !cell) {
    return null;
  }
  const { kind, source } = cellOf(response, languageOf(panel));
  const refusal = new Door(panel, cell).insertBelow(kind, source, provenanceOf(response));
  return refusal ?? kind;
}
