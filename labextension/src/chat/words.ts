/** What the chat says of a turn. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { EMBEDDED, type ProviderInfo, type Reference } from '../contract';
import { whereText } from '../shared/service/provider';
import { dollars } from '../shared/text/units';
import type { ITurn } from './turn';

/** Where a turn stands, in a sentence; it is also spoken, and so does not count while it is written. */
export function stateSentence(turn: ITurn | undefined, trans: TranslationBundle): string {
  switch (turn?.state) {
    case 'waiting':
      return trans.__('Reading the question.');
    case 'reasoning':
      return trans.__('Reasoning…');
    case 'writing':
      return trans.__('Writing.');
    case 'stopped':
      return turn.finish === 'canceled' && turn.error ? turn.error.message : trans.__('Stopped.');
    case 'failed':
      return [turn.error?.message, turn.error?.recovery].filter(Boolean).join(' ');
    case 'done':
      return cutSentence(turn.finish, trans) || trans.__('Done.');
    default:
      return '';
  }
}

/** Why an answer is not whole; empty where it is, and where a person ended it. */
export function cutSentence(finish: string, trans: TranslationBundle): string {
  switch (finish) {
    case 'length':
      return trans.__('The answer was truncated at the length limit.');
    case 'timeout':
      return trans.__('The answer was truncated at the time limit.');
    case 'filter':
      return trans.__('The provider truncated the answer.');
    default:
      return '';
  }
}

/** Who answered, and what it took. */
export function usageSentence(turn: ITurn, trans: TranslationBundle): string {
  const parts: string[] = [];
  if (turn.record) {
    parts.push(
      turn.provider === EMBEDDED || turn.provider === ''
        ? turn.record.model
        : trans.__('%1 by %2', turn.record.model, turn.provider)
    );
  } else if (turn.provider !== EMBEDDED && turn.provider !== '') {
    parts.push(trans.__('Sent to %1', turn.provider));
  }
  if (turn.tokens) {
    const { read, cached, written } = turn.tokens;
    parts.push(
      cached > 0
        ? trans.__('%1 tokens read (%2 cached), %3 written', read, cached, written)
        : trans.__('%1 tokens read, %2 written', read, written)
    );
  }
  if (turn.leftOut > 0) {
    parts.push(
      trans._n('%1 earlier turn did not fit', '%1 earlier turns did not fit', turn.leftOut)
    );
  }
  if (turn.costUsd !== null) {
    parts.push(trans.__('about %1', dollars(turn.costUsd)));
  }
  if (turn.isPrivate) {
    parts.push(trans.__('private: not saved'));
  }
  return parts.join(' · ');
}

/** Who answers, and where the question goes. */
export function whoSentence(provider: ProviderInfo, trans: TranslationBundle): string {
  const where = provider.problem === '' ? whereText(provider, trans) : provider.problem;
  return trans.__('%1 answers. %2', provider.name, where);
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
