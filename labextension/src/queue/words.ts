/** The words for what runs and waits. */

import { CODES, PLACE, type QueueItem } from '../contract';
import type { Translate } from '../shared/text/translate';
import { duration } from '../shared/text/units';

/** A queued prompt, by the name that who asked gave it. */
export function promptText({ id, prompt_id }: QueueItem, trans: Translate): string {
  // An id that was made up says nothing to anybody.
  return prompt_id === id || prompt_id === ''
    ? trans.__('Prompt')
    : trans.__('Prompt “%1”', prompt_id);
}

/** Notebook that it was asked from; empty where it was none. */
export function fromText(path: string, trans: Translate): string {
  return path === '' ? '' : trans.__('from %1', path);
}

/** Who answers. */
export function answererText({ provider, model }: QueueItem): string {
  return [provider, model].filter(Boolean).join(' · ');
}

/** What is to be known besides: how urgent it is, whether it outlives who asked, whether it is kept. */
export function marksText(
  { priority, keep, private: isPrivate }: QueueItem,
  trans: Translate
): string {
  const marks = [
    priority === 'high' && trans.__('high priority'),
    priority === 'low' && trans.__('low priority'),
    keep && trans.__('continues after you leave'),
    isPrivate && trans.__('private')
  ];
  return marks.filter(Boolean).join(' · ');
}

/** A word or two for the badge. */
export function stateText({ state, position, error }: QueueItem, trans: Translate): string {
  switch (state) {
    case 'running':
      return trans.__('runs');
    case 'saving':
      return trans.__('is being saved');
    case 'waiting':
      // Who runs is the first in the line of their provider.
      return trans.__('waiting, position %1', position);
    case 'done':
      return trans.__('answered');
    case 'canceled':
      return trans.__('cancelled');
    case 'failed':
      return error?.code === CODES.TIMEOUT ? trans.__('timed out') : trans.__('failed');
  }
}

/** How long ago a time of the server was; clocks that differ never make it negative. */
export function ageText(since: string, now: number, trans: Translate): string {
  const seconds = (now - Date.parse(since)) / 1000;
  return Number.isFinite(seconds) ? duration(Math.max(0, seconds), trans) : '';
}

/** How much there is to do. */
export function summaryText(running: number, waiting: number, trans: Translate): string {
  if (running + waiting === 0) {
    return trans.__('No requests are running or waiting.');
  }
  return trans.__('%1 running, %2 waiting.', running, waiting);
}

/** What came of cancelling all. */
export function canceledText(count: number, trans: Translate): string {
  switch (count) {
    case 0:
      return trans.__('No requests to cancel.');
    case 1:
      return trans.__('One request was cancelled.');
    default:
      return trans.__('%1 requests were cancelled.', count);
  }
}

/** The names of the places of a prompt, as the service finds them, each once. */
export function placesOf(prompt: string): string[] {
  return [...new Set([...prompt.matchAll(new RegExp(PLACE, 'g'))].map(([, name]) => name ?? ''))];
}

/** What came of queueing a prompt. */
export function queuedText(position: number, trans: Translate): string {
  return position === 1
    ? trans.__('Running. The answer will be listed under “Recently finished”.')
    : trans.__(
        'Waiting at position %1. The answer will be listed under “Recently finished”.',
        position
      );
}
