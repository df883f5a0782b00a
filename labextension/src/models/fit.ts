/** Whether a model fits into the memory of this machine, in words and numbers. */

import { type Fit, fitWord, type Memory, type MemoryFit, memoryFitText } from '../contract';
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
  const sign = SIGNS[fit.fit];
  const word = fitWord(fit.fit, trans);
  if (fit.fit === 'unknown') {
    return { sign, word, sentence: memoryFitText('unknown', trans), rows: [] };
  }
  const rows: IRow[] = [
    { name: memoryFitText('weights', trans), value: bytes(fit.weights_bytes) },
    {
      name: memoryFitText('kv', trans, fit.context_window.toLocaleString(locale)),
      value: bytes(fit.kv_bytes)
    },
    { name: memoryFitText('compute', trans), value: bytes(fit.compute_bytes) },
    { name: memoryFitText('overhead', trans), value: bytes(fit.overhead_bytes) },
    { name: memoryFitText('needed', trans), value: bytes(fit.needed_bytes) },
    { name: memoryFitText('private', trans), value: bytes(fit.private_bytes) },
    { name: memoryFitText('available', trans), value: bytes(fit.available_bytes) },
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
    ? memoryFitText('reserved', trans, needed, free)
    : memoryFitText('numbers', trans, needed, free);
}

/** Who holds memory that could be free: the open kernels, and the model that is loaded. */
function machineRows(memory: Memory | null, trans: Translate, locale?: string): IRow[] {
  const rows: IRow[] = [];
  if (memory && memory.kernels > 0) {
    rows.push({
      name: memoryFitText('kernels', trans, memory.kernels),
      value: size(memory.kernels_bytes, locale)
    });
  }
  if (memory && memory.given_back_bytes > 0) {
    rows.push({
      name: memoryFitText('given-back', trans),
      value: size(memory.given_back_bytes, locale)
    });
  }
  return rows;
}

const SIGNS: Record<Fit, string> = { fits: '✓', tight: '!', 'does-not-fit': '✕', unknown: '?' };
