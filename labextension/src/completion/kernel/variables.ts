/** Reads what a kernel tells of its variables. Pure. */

import { FIELDS, type KernelVariable } from '../../contract';

const MOST = FIELDS.NotebookContext.variables.maxItems;

/**
 * Variables from the result of the probe's expression, `null` where it is not what it should be.
 *
 * The result is the printed form of a string: quotes around base64, and in it JSON. So it holds nothing
 * that has to be unescaped, whatever the language.
 */
export function readVariables(result: unknown): KernelVariable[] | null {
  try {
    const { status, data } = result as { status: string; data: Record<string, unknown> };
    const printed = data['text/plain'];
    if (status !== 'ok' || typeof printed !== 'string') {
      return null;
    }
    const bytes = Uint8Array.from(atob(printed.replace(/^['"]|['"]$/g, '')), character =>
      character.charCodeAt(0)
    );
    const found: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return Array.isArray(found) ? found.filter(isVariable).slice(0, MOST) : null;
  } catch {
    return null;
  }
}

function isVariable(value: unknown): value is KernelVariable {
  return typeof (value as KernelVariable | null)?.name === 'string';
}
