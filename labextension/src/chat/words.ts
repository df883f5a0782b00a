/** What the chat says of a turn. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { Reference } from '../contract';
import type { ITurn } from './turn';

/** Where a turn stands, in a sentence; it is also spoken, and so does not count while it is written. */
export function stateSentence(turn: ITurn | undefined, trans: TranslationBundle): string {
  switch (turn?.state) {
    case 'waiting':
      return trans.__('Reading the question.');
    case 'writing':
      return trans.__('Writing.');
    case 'stopped':
      return trans.__('Stopped.');
    case 'failed':
      return [turn.error?.message, turn.error?.recovery].filter(Boolean).join(' ');
    case 'done':
      return turn.finish === 'length'
        ? trans.__('The answer was cut off at the limit of its length.')
        : turn.finish === 'timeout'
          ? trans.__('The answer was cut off at the limit of its time.')
          : trans.__('Done.');
    default:
      return '';
  }
}

/** Who answered, and what it took. */
export function usageSentence(turn: ITurn, trans: TranslationBundle): string {
  const parts: string[] = [];
  if (turn.record) {
    parts.push(turn.record.model);
  }
  if (turn.tokens) {
    const { read, cached, written } = turn.tokens;
    parts.push(
      cached > 0
        ? trans.__('%1 tokens read (%2 known from before), %3 written', read, cached, written)
        : trans.__('%1 tokens read, %2 written', read, written)
    );
  }
  if (turn.leftOut > 0) {
    parts.push(
      trans._n('%1 earlier turn did not fit', '%1 earlier turns did not fit', turn.leftOut)
    );
  }
  return parts.join(' · ');
}

/** The words on a chip. */
export function chipLabel({ kind, name }: Reference, trans: TranslationBundle): string {
  const kinds: Record<Reference['kind'], string> = {
    cell: '@cell',
    selection: '@selection',
    output: '@output',
    error: '@error',
    file: '@file',
    variable: '@variable',
    text: trans.__('Text')
  };
  return name ? `${kinds[kind]} ${name}` : kinds[kind];
}
