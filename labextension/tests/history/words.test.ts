import { describe, expect, it } from 'vitest';

import type { ResponseFinish } from '../../src/contract';
import {
  deletedText,
  detailRows,
  exportedText,
  factsText,
  fileName,
  finishText,
  rangeText,
  secondsFault,
  timeText,
  titlesGoText,
  titleText
} from '../../src/history/words';
import { commandText } from '../../src/shared/text/commandText';
import { trans } from '../fakes';
import { provider } from '../providers/samples';
import { info, response } from './samples';

it('calls what was asked by its name', () => {
  const names = [
    ['generate', 'fix'],
    ['generate', 'prompt'],
    ['chat', ''],
    ['queue', '']
  ].map(([kind = '', command = '']) => commandText(kind, command, trans));
  expect(names).toEqual(['Fix', 'Prompt', 'Chat', 'Prompt']);
});

it('says when, what and from where', () => {
  expect(factsText(info('a'), trans, 'en-US')).toMatch(
    /^Nov 21, 2026, .* · Explain · from a\.ipynb$/
  );
  expect(factsText(info('a', { notebook: '' }), trans, 'en-US')).toMatch(/ · Explain$/);
  expect(timeText('some day')).toBe('some day');
});

it.each<[ResponseFinish, boolean]>([
  ['stop', false],
  ['length', true],
  ['filter', true],
  ['timeout', true],
  ['canceled', true]
])('says why an answer is not whole: %s', (finish, isSaid) => {
  expect(finishText(finish, trans) !== '').toBe(isSaid);
});

describe('the details', () => {
  const values = (changes = {}) =>
    Object.fromEntries(
      detailRows(response('a', changes), trans, 'en-US').map(({ name, value }) => [name, value])
    );

  it('are what is known', () => {
    expect(values()).toMatchObject({
      Model: 'tiny',
      'Tokens read': '1,234',
      Took: '3 s',
      Seed: '7',
      'Model digest': 'ab'
    });
    expect(values({ cost_usd: 0.0123 })['Cost (estimate)']).toBe('$0.012');
  });

  it('leave out what is not', () => {
    const known = values({
      prompt_tokens: null,
      sampling: {},
      digest: '',
      notebook: '',
      milliseconds: 0
    });
    expect(Object.keys(known)).toEqual(['Time', 'Provider', 'Model', 'Tokens written']);
  });
});

it('counts pages', () => {
  expect(rangeText(0, 0, 0, trans)).toBe('');
  expect(rangeText(20, 20, 1234, trans, 'en-US')).toBe('21–40 of 1,234');
  expect(rangeText(0, 20, null, trans)).toBe('1–20');
});

it('counts what was exported and deleted', () => {
  expect(exportedText(1, '/x.zip', trans)).toBe('One answer was written to /x.zip.');
  expect(exportedText(2, '/x.zip', trans)).toBe('2 answers were written to /x.zip.');
  expect([deletedText(1, trans), deletedText(0, trans)]).toEqual([
    'One answer was deleted.',
    '0 answers were deleted.'
  ]);
});

it('names files so that they sort', () => {
  const now = new Date('2026-11-21T12:34:56Z');
  expect(fileName(now, null)).toBe('localcoder-history-2026-11-21-123456.zip');
  expect(fileName(now, 'a1')).toBe('localcoder-answer-a1.zip');
});

it('calls an answer without a title by its question', () => {
  const none = info('a', { title: 'm-1', title_source: 'model', preview: 'Why?' });
  expect(titleText(none)).toBe('Why?');
  expect(titleText({ ...none, preview: '' })).toBe('m-1');
  expect(titleText({ ...none, title: 'Reasons', title_source: 'hand' })).toBe('Reasons');
});

it('takes 10 to 120 seconds for a title', () => {
  expect(['10', '120', ' 60.5 '].map(text => secondsFault(text, trans))).toEqual(['', '', '']);
  for (const text of ['', 'soon', '9.9', '121', '-60', 'Infinity']) {
    expect(secondsFault(text, trans)).toBe('A number from 10 to 120.');
  }
});

it('says what leaves for a title', () => {
  const providers = [provider('acme')];
  expect(titlesGoText(providers, 'embedded', trans)).toContain('on this machine');
  expect(titlesGoText(providers, 'acme', trans)).toContain(
    'the first 500 characters of each question and its answer. Prompts go to another machine'
  );
});
