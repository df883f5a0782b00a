/** Whether a model fits into the memory of this machine, in words and numbers. */

import type { Fit, Memory, MemoryFit } from '../contract';
import type { Translate } from '../shared/text/translate';
import { size } from '../shared/text/units';
import type { IRow } from '../shared/ui/rows';

export interface IFitText {
  /** A sign and a word: the colour that goes with them only repeats it. */
  sign: string;
  word: string;
  /** The two numbers that decide, to follow the word. */
  sentence: string;
  /** Where the numbers come from. */
  rows: IRow[];
}

export function fitText(
  fit: MemoryFit,
  memory: Memory | null,
  trans: Translate,
  locale?: string
): IFitText {
  const bytes = (count: number): string => size(count, locale);
  const { sign, word } = verdict(fit.fit, trans);
  if (fit.fit === 'unknown') {
    return { sign, word, sentence: trans.__('memory requirement unknown'), rows: [] };
  }
  const rows: IRow[] = [
    { name: trans.__('Weights'), value: bytes(fit.weights_bytes) },
    {
      name: trans.__('KV cache for %1 tokens', fit.context_window.toLocaleString(locale)),
      value: bytes(fit.kv_bytes)
    },
    { name: trans.__('Computation'), value: bytes(fit.compute_bytes) },
    { name: trans.__('Worker process'), value: bytes(fit.overhead_bytes) },
    { name: trans.__('Together'), value: bytes(fit.needed_bytes) },
    { name: trans.__('Non-reclaimable memory'), value: bytes(fit.private_bytes) },
    { name: trans.__('Available now'), value: bytes(fit.available_bytes) },
    ...machineRows(memory, trans, locale)
  ];
  return {
    sign,
    word,
    sentence: sentence(fit, bytes, trans),
    rows
  };
}

/** Less than all that is free may be taken: without that, two numbers would speak against the word. */
function sentence(fit: MemoryFit, bytes: (count: number) => string, trans: Translate): string {
  const [needed, free] = [bytes(fit.needed_bytes), bytes(fit.available_bytes)];
  return fit.fit === 'does-not-fit' && fit.needed_bytes <= fit.available_bytes
    ? trans.__('needs %1, %2 available, part of which is reserved', needed, free)
    : trans.__('needs %1, %2 available', needed, free);
}

/** Who holds memory that could be free: the open kernels, and the model that is loaded. */
function machineRows(memory: Memory | null, trans: Translate, locale?: string): IRow[] {
  const rows: IRow[] = [];
  if (memory && memory.kernels > 0) {
    rows.push({
      name: trans.__('Used by open kernels (%1)', memory.kernels),
      value: size(memory.kernels_bytes, locale)
    });
  }
  if (memory && memory.given_back_bytes > 0) {
    rows.push({
      name: trans.__('Freed by unloading the loaded model'),
      value: size(memory.given_back_bytes, locale)
    });
  }
  return rows;
}

function verdict(fit: Fit, trans: Translate): { sign: string; word: string } {
  switch (fit) {
    case 'fits':
      return { sign: '✓', word: trans.__('Fits') };
    case 'tight':
      return { sign: '!', word: trans.__('Tight') };
    case 'does-not-fit':
      return { sign: '✕', word: trans.__('Does not fit') };
    case 'unknown':
      return { sign: '?', word: trans.__('Fit unknown') };
  }
}
