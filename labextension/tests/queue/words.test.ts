import { describe, expect, it } from 'vitest';

import type { QueueItem, RequestState } from '../../src/contract';
import {
  ageText,
  answererText,
  canceledText,
  fromText,
  marksText,
  placesOf,
  promptText,
  queuedText,
  stateText,
  summaryText
} from '../../src/queue/words';
import { trans } from '../fakes';
import { item } from './samples';

it('calls a prompt by the name that it was given, and by no id that was made up', () => {
  expect(promptText(item('a'), trans)).toBe('Prompt');
  expect(promptText(item('a', { prompt_id: 'report' }), trans)).toBe('Prompt “report”');
});

it('says who answers, from where it was asked, and what is special', () => {
  expect(answererText(item('a', { model: 'm' }))).toBe('embedded · m');
  expect(fromText('a/b.ipynb', trans)).toBe('from a/b.ipynb');
  expect(fromText('', trans)).toBe('');
  expect(marksText(item('a'), trans)).toBe('');
  expect(marksText(item('a', { priority: 'low', keep: true, private: true }), trans)).toBe(
    'low priority · continues after you leave · private'
  );
});

it.each<[RequestState, Partial<QueueItem>, string]>([
  ['running', {}, 'runs'],
  ['saving', {}, 'is being saved'],
  ['waiting', { position: 3 }, 'waiting, position 3'],
  ['done', {}, 'answered'],
  ['canceled', {}, 'cancelled'],
  ['failed', {}, 'failed'],
  ['failed', { error: { code: 'TIMEOUT', message: '', recovery: '', details: {} } }, 'timed out']
])('says the state: %s', (state, changes, expected) => {
  expect(stateText(item('a', { state, ...changes }), trans)).toBe(expected);
});

describe('an age', () => {
  const NOW = Date.parse('2026-11-21T12:00:00Z');
  it('is counted from the time of the server', () => {
    expect(ageText('2026-11-21T11:58:30.000+00:00', NOW, trans)).toBe('1 min 30 s');
  });
  it('is never negative, and nothing where there is no time', () => {
    expect(ageText('2026-11-21T12:05:00+00:00', NOW, trans)).toBe('1 s');
    expect(ageText('', NOW, trans)).toBe('');
  });
});

it('sums up', () => {
  expect(summaryText(0, 0, trans)).toBe('No requests are running or waiting.');
  expect(summaryText(1, 4, trans)).toBe('1 running, 4 waiting.');
  expect([0, 1, 5].map(count => canceledText(count, trans))).toEqual([
    'No requests to cancel.',
    'One request was cancelled.',
    '5 requests were cancelled.'
  ]);
});

it('finds the places of a prompt as the service does', () => {
  expect(placesOf('{{a}} {{ b }} {{a}} {{1}} { {c}} {{d e}}')).toEqual(['a', 'b']);
  expect(placesOf('')).toEqual([]);
});

it('says whether a prompt runs or waits', () => {
  expect(queuedText(1, trans)).toMatch(/^Running/);
  // A private one goes nowhere else.
  expect(queuedText(1, trans)).not.toContain('history');
  expect(queuedText(4, trans)).toContain('position 4');
});
