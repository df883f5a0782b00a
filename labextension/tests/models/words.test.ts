import { describe, expect, it } from 'vitest';

import type { BackendState, ModelInfo } from '../../src/contract';
import { actionsOf } from '../../src/models/actions';
import { fitText } from '../../src/models/fit';
import { type IProgress, percent, progressText } from '../../src/models/progress';
import { isModelId, modelOptions } from '../../src/models/settings';
import { answering, type IModelView, modelView } from '../../src/models/view';
import { detailRows, factsText, spokenText, stateText } from '../../src/models/words';
import { duration, perSecond, size, tokens } from '../../src/shared/text/units';
import { fixedText } from '../../src/shared/ui/setting';
import { trans } from '../fakes';
import { FIT, info, list, MEMORY, moved, settings } from './samples';
import EXAMPLES from './units.json';

function view(changes: Partial<ModelInfo> = {}): IModelView {
  return modelView(info('a', changes), undefined, null, { code: '', general: '' });
}

describe('numbers', () => {
  it.each(EXAMPLES.sizes as [number, string][])('%d bytes', (bytes, text) => {
    expect(size(bytes, 'en')).toBe(text);
  });

  it.each(EXAMPLES.durations as [number, string][])('%d seconds', (seconds, text) => {
    expect(duration(seconds, trans)).toBe(text);
  });

  it.each(EXAMPLES.speeds as [number, string][])('a speed of %d', (speed, text) => {
    expect(perSecond(speed, trans, 'en')).toBe(text);
  });

  it.each(EXAMPLES.contexts as [number, string][])('a context of %d tokens', (count, text) => {
    expect(tokens(count)).toBe(text);
  });

  it('of no time are a second: nothing is left is another sentence', () => {
    expect(duration(0.2, trans)).toBe('1 s');
  });
});

describe('the progress', () => {
  const half: IProgress = {
    activity: 'download',
    isVerifying: false,
    receivedBytes: 500_000_000,
    totalBytes: 1_000_000_000,
    bytesPerSecond: 10_000_000
  };

  it('says how much, how fast and how long', () => {
    expect(progressText(half, trans, 'en')).toBe(
      'Downloading · 50 %: 500 MB of 1 GB · 10 MB/s · 50 s left'
    );
  });

  it('names no rate where there is none, and none of what is paused', () => {
    expect(progressText({ ...half, bytesPerSecond: 0 }, trans, 'en')).toBe(
      'Downloading · 50 %: 500 MB of 1 GB'
    );
    expect(progressText({ ...half, activity: '' }, trans, 'en')).toBe(
      'Paused · 50 %: 500 MB of 1 GB'
    );
  });

  it.each([
    ['download', true, 'Verifying'],
    ['verify', true, 'Verifying'],
    ['import', true, 'Importing'],
    ['export', false, 'Exporting']
  ] as const)('of a %s', (activity, isVerifying, word) => {
    expect(progressText({ ...half, activity, isVerifying }, trans)).toMatch(
      new RegExp(`^${word} · `)
    );
  });

  it('never reads as whole before it is', () => {
    expect(percent({ ...half, receivedBytes: 999_999_999 })).toBe(99);
    expect(percent({ ...half, receivedBytes: 5, totalBytes: 0 })).toBe(100);
  });
});

describe('the fit', () => {
  it('adds up, and says against what', () => {
    const text = fitText(FIT, MEMORY, trans, 'en');
    expect(`${text.word}: ${text.sentence}`).toBe('Fits: needs 1.8 GB, 8 GB available');
    expect(text.rows.map(({ name, value }) => `${name} ${value}`)).toEqual([
      'Weights 1.1 GB',
      'KV cache for 10,240 tokens 290 MB',
      'Computation 310 MB',
      'Worker process 100 MB',
      'Together 1.8 GB',
      'Non-reclaimable memory 1.3 GB',
      'Available now 8 GB'
    ]);
  });

  it('says why a model does not fit into more than it needs', () => {
    const close = { ...FIT, fit: 'does-not-fit', available_bytes: 1.9e9 } as const;
    expect(fitText(close, MEMORY, trans, 'en').sentence).toBe(
      'needs 1.8 GB, 1.9 GB available, part of which is reserved'
    );
    expect(fitText({ ...close, available_bytes: 1e9 }, MEMORY, trans, 'en').sentence).toBe(
      'needs 1.8 GB, 1 GB available'
    );
  });

  it('names who holds memory that could be free', () => {
    const memory = { ...MEMORY, kernels: 2, kernels_bytes: 3e9, given_back_bytes: 1e9 };
    const rows = fitText(FIT, memory, trans, 'en').rows.slice(-2);
    expect(rows).toEqual([
      { name: 'Used by open kernels (2)', value: '3 GB' },
      { name: 'Freed by unloading the loaded model', value: '1 GB' }
    ]);
  });

  it('has a word and a sign of its own for each verdict', () => {
    const texts = (['fits', 'tight', 'does-not-fit', 'unknown'] as const).map(fit =>
      fitText({ ...FIT, fit }, null, trans)
    );
    expect(new Set(texts.map(({ word }) => word)).size).toBe(4);
    expect(new Set(texts.map(({ sign }) => sign)).size).toBe(4);
    expect(texts[3]?.rows).toEqual([]);
  });
});

describe('the actions', () => {
  const first = (changes: Partial<ModelInfo>) => actionsOf(view(changes)).first;

  it.each([
    ['what is not here', {}, ['download']],
    ['what is here in part', { received_bytes: 5 }, ['resume', 'discard']],
    ['what comes', { state: 'downloading', activity: 'download' }, ['pause', 'discard']],
    ['what is verified', { state: 'verifying', activity: 'verify' }, ['stop']],
    ['what is written out', { state: 'ready', activity: 'export' }, ['stop']],
    ['what is here', { state: 'ready' }, ['load']],
    ['what is loaded', { state: 'ready', loaded: true }, ['unload']],
    ['what failed', { state: 'error' }, ['retry']],
    ['an import that is broken', { state: 'error', origin: 'imported' }, ['verify']]
  ] as const)('of %s', (_, changes, actions) => {
    expect(first(changes)).toEqual(actions);
  });

  it('of a model that loads end the load', () => {
    const backend = {
      state: 'loading',
      generation: 1,
      reason: '',
      model: 'a',
      profile: '',
      resident: [],
      residency: ''
    } satisfies BackendState;
    const loading = modelView(info('a', { state: 'ready' }), undefined, backend, {
      code: '',
      general: ''
    });
    expect(actionsOf(loading).first).toEqual(['unload']);
    expect(stateText(loading, trans)).toBe('loading');
  });

  it('offer an update and a pin only where they mean something', () => {
    const more = (changes: Partial<ModelInfo>) =>
      actionsOf(view({ state: 'ready', ...changes })).more;
    const update = { digest: 'cd', size_bytes: 5, revision: '2' };
    expect(more({})).toEqual(['use-code', 'use-general', 'verify', 'export', 'pin', 'delete']);
    expect(more({ update })).toContain('update');
    expect(more({ update, pinned: true })).not.toContain('update');
    expect(more({ pinned: true })).toContain('unpin');
    expect(more({ origin: 'imported' })).not.toContain('pin');
  });
});

describe('the words', () => {
  it('for the state', () => {
    const word = (changes: Partial<ModelInfo>) => stateText(view(changes), trans);
    expect(word({})).toBe('not downloaded');
    expect(word({ received_bytes: 1 })).toBe('paused');
    expect(word({ activity: 'download', state: 'downloading' })).toBe('downloading');
    expect(word({ activity: 'download', state: 'verifying' })).toBe('verifying');
    expect(word({ activity: 'import', state: 'downloading' })).toBe('importing');
    expect(word({ activity: 'export', state: 'ready' })).toBe('exporting');
    expect(word({ state: 'ready' })).toBe('on this machine');
    expect(word({ state: 'ready', loaded: true })).toBe('loaded');
    expect(word({ state: 'error' })).toBe('error');
  });

  it('for the facts', () => {
    expect(factsText(view(), trans, 'en')).toBe('1.12 GB · Q4_K_M · 32k context · code, general');
    expect(factsText(view({ quantization: '', context_length: 0 }), trans, 'en')).toBe(
      '1.12 GB · code, general'
    );
  });

  it('for the details leave out what is not known', () => {
    const license = list().licenses[0];
    const names = (changes: Partial<ModelInfo>) =>
      detailRows(view(changes), license, trans, 'en').map(({ name, value }) => `${name}: ${value}`);
    expect(names({})).toContain('Version: f86cb2c1fa58');
    expect(names({ pinned: true })).toContain('Version: f86cb2c1fa58 (pinned)');
    expect(names({ pinned: true, revision: '' })).toContain('Version: pinned');
    expect(names({ revision: '' }).join()).not.toContain('Version');
    expect(names({ revision: '' }).join()).toMatch(/SHA-256: \w+/);
    const update = { digest: '8ba9baf3a7345f70', size_bytes: 5_000_000, revision: '' };
    expect(names({ update }).join()).toContain(': SHA-256 8ba9baf3a734 · 5 MB');
    expect(names({ update: { ...update, revision: '0.9.0' } }).join()).toContain(': 0.9.0 · 5 MB');
    expect(
      names({ speed: { prefill_tokens_per_second: 412.3, decode_tokens_per_second: 31.4 } })
    ).toEqual(expect.arrayContaining(['Reads here: 412 tokens/s', 'Writes here: 31 tokens/s']));
    expect(names({ fill_in_the_middle: null }).join()).not.toContain('Fill-in-the-middle');
  });

  it('said aloud are about ends, not about steps', () => {
    const spoken = (changes: Parameters<typeof moved>[1]) =>
      spokenText(moved('a', changes), 'A', trans);
    expect(spoken({})).toBe('');
    expect(spoken({ activity: '', state: 'ready' })).toBe('A is ready.');
    expect(spoken({ activity: '', state: 'idle', received_bytes: 5 })).toBe(
      'The download of A is paused.'
    );
    expect(spoken({ activity: '', state: 'idle' })).toBe('A is not on this machine.');
    const error = { code: 'X', message: 'Wrong digest.', recovery: '', details: {} };
    expect(spoken({ activity: '', state: 'error', error })).toBe('A: Wrong digest.');
  });
});

describe('the settings', () => {
  it('say who fixed one', () => {
    const fixed = {
      ...settings(),
      sources: { profile: 'environment', model: 'settings' } as const
    };
    expect(fixedText(fixed, 'profile', trans)).toMatch(/environment/);
    expect(fixedText(fixed, 'model', trans)).toBe('');
    expect(fixedText(fixed, 'air_gap', trans)).toBe('');
  });

  it('offer what is here, and what is chosen', () => {
    const views = [
      view({ id: 'a', state: 'ready', fill_in_the_middle: false }),
      view({ id: 'b' }),
      view({ id: 'c', name: 'Model c' })
    ];
    const labels = modelOptions(views, 'c', 'code', 'b', trans).map(({ label }) => label);
    expect(labels).toEqual([
      'By profile: Model a',
      'Model a (no completion while typing)',
      'Model c (not on this machine)'
    ]);
  });

  it('know which model answers', () => {
    const known = list(info('a'), info('b'));
    expect(answering(known, settings())).toEqual({ code: 'a', general: 'b' });
    expect(answering(known, settings({ model: 'b' }))).toEqual({ code: 'b', general: 'b' });
    expect(answering(null, null)).toEqual({ code: '', general: '' });
  });

  it('take no name with a slash', () => {
    expect(['tiny', 'a.b-c_1', '0'].every(isModelId)).toBe(true);
    expect(['a/b', '../a', '', ' a', 'a b', '.a', 'a'.repeat(129), 'a\n'].some(isModelId)).toBe(
      false
    );
  });
});
