import { describe, expect, it } from 'vitest';

import type { ProviderInfo, ProviderTested } from '../../src/contract';
import {
  badgeText,
  completionOptions,
  completionText,
  factsText,
  hasKeptKey,
  keyText,
  priceText,
  storageText,
  testedText
} from '../../src/providers/words';
import { isNear, isSameOrigin } from '../../src/shared/service/address';
import { whereText } from '../../src/shared/service/provider';
import { dollars } from '../../src/shared/text/units';
import { trans } from '../fakes';
import { settings } from '../models/samples';
import { EMBEDDED_PROVIDER, KINDS, list, provider } from './samples';

describe('where prompts go', () => {
  it.each([
    ['http://127.0.0.1:8080/v1', true],
    ['http://127.8.9.1', true],
    ['https://localhost/v1', true],
    ['http://api.localhost:1', true],
    ['http://[::1]:11434', true],
    ['http://127.0.0.1.example.org/v1', false],
    ['http://localhost.example.org', false],
    ['http://10.0.0.1:8080', false],
    ['https://api.openai.com/v1', false],
    ['nonsense', false]
  ])('%s is near: %s', (address, expected) => {
    expect(isNear(address)).toBe(expected);
  });

  it('is said in a word and in a sentence', () => {
    const near = provider('lab', { base_url: 'http://127.0.0.1:8080/v1' });
    const far = provider('far');
    expect([EMBEDDED_PROVIDER, near, far].map(one => badgeText(one, trans))).toEqual([
      'local',
      'local',
      'remote'
    ]);
    expect(whereText(EMBEDDED_PROVIDER, trans)).toBe(
      'Prompts stay within LocalCoder on this machine.'
    );
    expect(whereText(near, trans)).toContain('another program on this machine, at 127.0.0.1:8080');
    expect(whereText(far, trans)).toBe('Prompts go to another machine: models.example.');
  });

  it('decides whether a key goes along', () => {
    expect(isSameOrigin('https://h/v1', 'https://h:443/v2')).toBe(true);
    expect(isSameOrigin('https://h/v1', 'http://h/v1')).toBe(false);
    expect(isSameOrigin('https://h:1', 'https://h:2')).toBe(false);
    expect(isSameOrigin('', '')).toBe(false);
  });
});

it('names kind and model', () => {
  const kinds = Object.values(KINDS);
  expect(factsText(provider('lab'), kinds, trans)).toBe('OpenAI-compatible · m');
  expect(factsText(provider('lab', { model: '' }), kinds, trans)).toBe(
    'OpenAI-compatible · no model selected'
  );
});

it.each<[ProviderInfo['key'], boolean, string, boolean]>([
  ['environment', true, 'environment of the Jupyter server', false],
  ['keyring', true, 'in the keyring', true],
  ['file', true, 'encrypted file', true],
  ['session', true, 'until the server stops', true],
  ['none', true, 'required, but missing', false],
  ['none', false, 'Key: none', false]
])('says where the key is: %s (needed: %s)', (key, key_needed, expected, isKept) => {
  const one = provider('lab', { key, key_needed });
  expect(keyText(one, trans)).toContain(expected);
  expect(hasKeptKey(one)).toBe(isKept);
});

it('says of each place where a key would go', () => {
  const said = (['keyring', 'file', 'session'] as const).map(place =>
    storageText({ place, note: '' }, trans)
  );
  expect(said[0]).toContain('keyring');
  expect(said[1]).toContain('encrypted file');
  expect(said[2]).toContain('until the server stops');
});

it('shows prices where there are some, small ones too', () => {
  expect(priceText(null, trans)).toBe('');
  expect(priceText({ input: 1, cached_input: null, output: 2.5 }, trans, 'en-US')).toBe(
    '$1.00 input, $2.50 output per million tokens'
  );
  expect(priceText({ input: 1, cached_input: 0.075, output: 2 }, trans, 'en-US')).toContain(
    '($0.075 cached)'
  );
  expect(dollars(0, 'en-US')).toBe('$0.00');
  expect(dollars(0.000321, 'en-US')).toBe('$0.00032');
});

describe('what a test has shown', () => {
  const tested = (changes: Partial<ProviderTested>): string =>
    testedText(
      { id: 'lab', models: ['m'], latency_ms: 12.4, model_listed: true, ...changes },
      provider('lab'),
      trans
    );

  it('is a sentence or two', () => {
    expect(tested({})).toBe('Responded in 12 ms. The model m is available.');
    expect(tested({ models: [], model_listed: null })).toContain('does not list its models');
    expect(tested({ model_listed: false, models: ['a', 'b'] })).toContain(
      'The model m is not available. Available models: a, b.'
    );
    expect(tested({ model_listed: null, models: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] })).toContain(
      'Available models: a, b, c, d, e and 2 more.'
    );
  });

  it('has no milliseconds where nothing is far away', () => {
    const said = testedText(
      { id: 'embedded', models: ['m'], latency_ms: 0.1, model_listed: null },
      EMBEDDED_PROVIDER,
      trans
    );
    expect(said).toBe('Ready. Available models: m.');
  });
});

describe('who completes', () => {
  const others = list(
    provider('lab', { name: 'Lab', completes: true, base_url: 'http://127.0.0.1:8080/v1' }),
    provider('far', { name: 'Far', completes: true }),
    provider('chat', { name: 'Chat' })
  );
  const text = (completion_provider: string, air_gap = false) =>
    completionText(others, settings({ completion_provider, air_gap }).settings, trans);

  it('is one of those that fill in the middle', () => {
    const ids = completionOptions(others, 'embedded', trans).map(({ value }) => value);
    expect(ids).toEqual(['embedded', 'lab', 'far']);
  });

  it('stays in the list also where it cannot, or is not there', () => {
    expect(completionOptions(others, 'chat', trans)).toContainEqual({
      value: 'chat',
      label: 'Chat (no fill-in-the-middle)'
    });
    expect(completionOptions(others, 'gone', trans).at(-1)).toEqual({
      value: 'gone',
      label: 'gone (not available)'
    });
  });

  it('is told with what leaves for it', () => {
    expect(text('embedded')).toEqual({
      text: 'What you type stays within LocalCoder.',
      isTrouble: false
    });
    expect(text('lab').text).toContain(
      'sent to another program on this machine, at 127.0.0.1:8080.'
    );
    expect(text('far').text).toContain(
      'variables and columns are sent to another machine: models.example.'
    );
    expect([text('lab').isTrouble, text('far').isTrouble]).toEqual([false, false]);
  });

  it.each([
    ['gone', false, 'provider gone does not exist'],
    ['far', true, 'the air gap is on'],
    ['chat', false, 'choose a fill-in-the-middle format']
  ])('is %s (air gap: %s), which is trouble: %s', (id, airGap, words) => {
    expect(text(id, airGap).text).toContain(words);
    expect(text(id, airGap).isTrouble).toBe(true);
  });

  it('is no trouble behind the air gap where it is the embedded one', () => {
    expect(text('embedded', true).isTrouble).toBe(false);
  });
});
