/** The outputs of a cell, as a model should read them. */

import type { Cell, ICellModel, ICodeCellModel } from '@jupyterlab/cells';
import type { IOutputModel } from '@jupyterlab/rendermime';

import { plain } from '../answers/plain';

const HEAD_CHARS = 2000;
const TAIL_CHARS = 6000;

/** An output of a cell, as far as it matters here (nbformat 4.5). */
export interface INbformatOutput {
  output_type: string;
  ename?: string;
  evalue?: string;
  traceback?: unknown;
  text?: unknown;
  data?: unknown;
}

export function outputsOf({ model }: Cell): INbformatOutput[] {
  return areaOf(model)?.toJSON() ?? [];
}

/** The outputs of a cell, one by one, none of them copied. */
export function* outputModels(model: ICellModel): Iterable<IOutputModel> {
  const area = areaOf(model);
  for (let index = 0; area && index < area.length; index++) {
    yield area.get(index);
  }
}

/** Whether the outputs of a cell have text; cheap, however large they are. */
export function hasText({ model }: Cell): boolean {
  for (const { type, data } of outputModels(model)) {
    if (type === 'stream' || type === 'error' || data['text/plain'] !== undefined) {
      return true;
    }
  }
  return false;
}

/** Whether an error is among the outputs of a cell, or among so many of the last ones; as cheap. */
export function hasError({ model }: Cell, most = Infinity): boolean {
  const area = areaOf(model);
  const length = area?.length ?? 0;
  for (let at = length - 1; at >= Math.max(0, length - most); at--) {
    if (area?.get(at).type === 'error') {
      return true;
    }
  }
  return false;
}

function areaOf(model: ICellModel): ICodeCellModel['outputs'] | null {
  return model.type === 'code' ? (model as ICodeCellModel).outputs : null;
}

/** The last error among the outputs, without colours, its middle left out if it is long; or null. */
export function tracebackOf(outputs: readonly INbformatOutput[]): string | null {
  const error = outputs.filter(output => output.output_type === 'error').at(-1);
  if (!error) {
    return null;
  }
  const lines = Array.isArray(error.traceback) ? error.traceback.map(String) : [];
  const told = plain(lines.join('\n')).trim();
  const text = told !== '' ? told : `${error.ename ?? ''}: ${error.evalue ?? ''}`;
  return shortened(text);
}

/** What the outputs say as text, without colours, its middle left out if it is long; empty where nothing. */
export function textOf(outputs: readonly INbformatOutput[]): string {
  const texts = outputs.map(output => {
    const data = output.data as Record<string, unknown> | undefined;
    return output.output_type === 'error'
      ? (tracebackOf([output]) ?? '')
      : joined(output.output_type === 'stream' ? output.text : data?.['text/plain']);
  });
  return shortened(
    texts
      .map(text => plain(text).trim())
      .filter(text => text !== '')
      .join('\n')
  );
}

/** A text as nbformat stores it: in one piece, or in lines. */
function joined(text: unknown): string {
  return Array.isArray(text) ? text.map(String).join('') : typeof text === 'string' ? text : '';
}

function shortened(text: string): string {
  return text.length <= HEAD_CHARS + TAIL_CHARS
    ? text
    : `${text.slice(0, HEAD_CHARS)}\n[…]\n${text.slice(-TAIL_CHARS)}`;
}
