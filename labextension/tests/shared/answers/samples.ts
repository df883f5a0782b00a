/** Ends of answers, as the tests need them. */

import type { Done } from '../../../src/contract';

export function done(run: string, text: string, changes: Partial<Done> = {}): Done {
  return {
    type: 'done',
    run,
    text,
    reasoning: '',
    finish: 'stop',
    code: '',
    usage: {
      prompt_tokens: 30,
      cached_tokens: 20,
      completion_tokens: 4,
      reasoning_tokens: null,
      left_out_tokens: 0
    },
    timings: {
      queue_ms: 0,
      prefill_ms: 1,
      decode_ms: 1,
      total_ms: 2,
      prefill_tokens_per_second: 0,
      decode_tokens_per_second: 0
    },
    model: { id: 'tiny', digest: 'sha256:00', quantization: 'Q4_K_M' },
    sampling: { temperature: 0, top_k: 40, top_p: 1, min_p: 0, repeat_penalty: 1, seed: 7 },
    prompt_sha256: 'ab',
    text_sha256: 'cd',
    provider: 'embedded',
    cost_usd: null,
    confidence: null,
    parts: [],
    withheld: '',
    doubt: '',
    conversation: '',
    parent: '',
    left_out_turns: 0,
    change: null,
    note: '',
    ...changes
  };
}
