/** The outputs of a cell, as a model should read them. */

import type { Cell, ICodeCellModel } from '@jupyterlab/cells';

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
  return model.type === 'code' ? (model as ICodeCellModel).outputs.toJSON() : [];
}

/** Whether the outputs have text, and whether an error is among them; cheap, however large they are. */
export function kindsOf({ model }: Cell): { hasText: boolean; hasError: boolean } {
  const outputs = model.type === 'code' ? (model as ICodeCellModel).outputs : null;
  const all = Array.from({ length: outputs?.length ?? 0 }, (_, index) => outputs?.get(index));
  const hasError = all.some(output => output?.type === 'error');
  const isText = (type = ''): boolean => type === 'stream' || type === 'error';
  return {
    hasText: all.some(output => isText(output?.type) || output?.data['text/plain'] !== undefined),
    hasError
  };
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
