/** An answer of the history becomes a cell. */

import type { INotebookTracker } from '@jupyterlab/notebook';

import { codeOf, fences } from '../answers/fences';
import { plain } from '../answers/plain';
import { provenanceOf } from '../answers/provenance';
import { languageOf } from '../commands/cell';
import { Door, type IRefusal } from '../commands/door';
import type { Response } from '../contract';

/** Put it below the active cell, its code where it has some; answers the kind of the cell, or why not. */
export function insertAnswer(
  tracker: INotebookTracker,
  response: Response
): 'code' | 'markdown' | IRefusal | null {
  const { currentWidget: panel, activeCell: cell } = tracker;
  if (!panel || !cell) {
    return null;
  }
  const text = plain(response.content);
  const isCode = response.command !== 'explain' && fences(text).length > 0;
  const kind = isCode ? 'code' : 'markdown';
  const source = isCode ? codeOf(text, languageOf(panel)) : text;
  const refusal = new Door(panel, cell).insertBelow(kind, source, provenanceOf(response));
  return refusal ?? kind;
}
