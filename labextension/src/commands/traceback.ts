/** The traceback of a cell, as a model should read it. Pure. */

import { plain } from '../shared/answers/plain';

const HEAD_CHARS = 2000;
const TAIL_CHARS = 6000;

/** An output of a cell, as far as it matters here (nbformat 4.5). */
export interface INbformatOutput {
  output_type: string;
  ename?: string;
  evalue?: string;
  traceback?: unknown;
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
  return text.length <= HEAD_CHARS + TAIL_CHARS
    ? text
    : `${text.slice(0, HEAD_CHARS)}\n[…]\n${text.slice(-TAIL_CHARS)}`;
}
