/** An answer of the history becomes a cell. */

import type { INotebookTracker } from '@jupyterlab/notebook';

import type { Response } from '../contract';
import { provenanceOf } from '../shared/answers/provenance';
import { languageOf } from '../shared/notebook/cell';
import { CellWriter, type IRefusal } from '../shared/notebook/cellWriter';
import { place } from '../shared/notebook/place';
import type { IChannel } from '../shared/tokens';
import { cellOf } from './cell';

/** Put it below the active cell, its code where it has some; answers the kind of the cell, or why not. */
export async function insertAnswer(
  channel: Pick<IChannel, 'request'>,
  tracker: INotebookTracker,
  response: Response
): Promise<'code' | 'markdown' | IRefusal | null> {
  const { currentWidget: panel, activeCell: cell } = tracker;
  if (!panel || !cell) {
    return null;
  }
  const language = languageOf(panel);
  const found = cellOf(response, language);
  const writer = new CellWriter(panel, cell);
  const record = provenanceOf(response);
  if (found.kind === 'markdown') {
    return writer.insertBelow('markdown', found.text, record) ?? 'markdown';
  }
  const { block, before } = found;
  const changed = await place(channel, block, language, before);
  // What does not fit into the former code may still be a cell of its own.
  const source =
    typeof changed === 'string' || before === '' ? changed : await place(channel, block, language);
  const refusal = typeof source === 'string' ? writer.insertBelow('code', source, record) : source;
  return refusal ?? 'code';
}
