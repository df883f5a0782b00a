/** Reads what a kernel tells of its variables. Pure. */

import { FIELDS, type KernelVariable } from '../../contract';
import { printedJson } from '../../shared/notebook/expression';

const MOST = FIELDS.NotebookContext.variables.maxItems;

/** Variables from the result of the probe's expression, `null` where it is not what it should be. */
export function readVariables(result: unknown): KernelVariable[] | null {
  const found = printedJson(result);
  return Array.isArray(found) ? found.filter(isVariable).slice(0, MOST) : null;
}

function isVariable(value: unknown): value is KernelVariable {
  return typeof (value as KernelVariable | null)?.name === 'string';
}
