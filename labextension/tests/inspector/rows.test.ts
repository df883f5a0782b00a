import { describe, expect, it } from 'vitest';

import type { Inspection } from '../../src/contract';
import { factRows, sourceRows } from '../../src/inspector/rows';
import { trans } from '../fakes';

const INSPECTION: Inspection = {
  run: 'r1',
  kind: 'tab',
  time: '2026-01-02T03:04:05Z',
  scope: 'tab:a.ipynb',
  prompt: 'import numpy',
  redacted: 'xxxxxx xxxxx',
  parts: [
    { source: 'kernel', tokens: 1200, left_out_tokens: 0 },
    { source: 'this cell', tokens: 34, left_out_tokens: 5 }
  ],
  finish: 'stop',
  withheld: '',
  usage: {
    prompt_tokens: 1234,
    cached_tokens: 1200,
    completion_tokens: 7,
    reasoning_tokens: null,
    left_out_tokens: 5
  },
  timings: {
    queue_ms: 1.04,
    prefill_ms: 40,
    decode_ms: 100,
    total_ms: 150.25,
    prefill_tokens_per_second: 850,
    decode_tokens_per_second: 0
  },
  model: { id: 'qwen', digest: 'd', quantization: 'Q4_K_M' },
  sampling: { temperature: 0, top_k: 0, top_p: 1, min_p: 0, repeat_penalty: 1, seed: 7 },
  prompt_sha256: 'abc',
  provider: 'embedded',
  confidence: { log_probability: -0.7346, first_token_margin: 2 }
};

function facts(inspection: Inspection): Record<string, string> {
  return Object.fromEntries(
    factRows(inspection, trans, 'Qwen', 'en').map(({ name, value }) => [name, value])
  );
}

describe('the inspector', () => {
  it('counts tokens by source, and sums them up', () => {
    expect(sourceRows(INSPECTION, trans, 'en')).toEqual({
      rows: [
        { source: 'kernel', tokens: '1,200', leftOut: '' },
        { source: 'this cell', tokens: '34', leftOut: '5' }
      ],
      total: { source: 'All', tokens: '1,234', leftOut: '5' }
    });
  });

  it('has a translated name for each source, and the one of the server for others', () => {
    const german = { __: (text: string) => (text === 'kernel' ? 'Kern' : `${text}!`) };
    const parts = ['kernel', 'this cell', 'newer'].map(source => ({
      source,
      tokens: 1,
      left_out_tokens: 0
    }));
    const { rows } = sourceRows({ ...INSPECTION, parts }, german, 'en');
    expect(rows.map(({ source }) => source)).toEqual(['Kern', 'this cell!', 'newer']);
  });

  it('tells where the time went and what the cache saved', () => {
    expect(facts(INSPECTION)).toMatchObject({
      Source: 'a.ipynb',
      'Tokens read': '1,234, of which 1,200 from the cache',
      'Tokens written': '7',
      Waiting: '1 ms',
      Reading: '40 ms (850 tokens per second)',
      Writing: '100 ms',
      Total: '150.3 ms',
      'Finish reason': 'end of the answer',
      Probability: '48% (its logarithm: -0.73)',
      Model: 'Qwen Q4_K_M',
      Sampling: 'greedy (most likely token)',
      'Digest of the prompt': 'abc'
    });
  });

  it('says why a suggestion was not shown', () => {
    expect(facts({ ...INSPECTION, withheld: 'columns' })['Finish reason']).toMatch(/column/);
    expect(facts({ ...INSPECTION, finish: 'timeout' })['Finish reason']).toMatch(/time/);
  });

  it('leaves out what another provider does not tell', () => {
    const told = facts({
      ...INSPECTION,
      provider: 'lab',
      sampling: null,
      confidence: null,
      prompt_sha256: '',
      usage: {
        prompt_tokens: 9,
        cached_tokens: null,
        completion_tokens: null,
        reasoning_tokens: null,
        left_out_tokens: 0
      }
    });
    expect(told).toMatchObject({ Provider: 'lab', 'Tokens read': '9' });
    expect(Object.keys(told)).not.toEqual(
      expect.arrayContaining(['Sampling', 'Tokens written', 'Digest of the prompt', 'Probability'])
    );
    expect(facts(INSPECTION)).not.toHaveProperty('Provider');
  });

  it('names the seed where it matters', () => {
    const sampling = {
      temperature: 0.8,
      top_k: 0,
      top_p: 1,
      min_p: 0,
      repeat_penalty: 1,
      seed: 7
    };
    expect(facts({ ...INSPECTION, sampling }).Sampling).toBe('temperature 0.8, seed 7');
  });
});
