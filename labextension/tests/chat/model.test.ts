import { describe, expect, it } from 'vitest';

import { ChatModel } from '../../src/chat/model';
import { usageSentence } from '../../src/chat/words';
import type { Done, Response } from '../../src/contract';
import { FakeWebSocket, openChannel, settle, trans as bundle } from '../fakes';

const ORIGIN = { notebook: 'a.ipynb', cell: 'c1' };
const REFERENCE = { kind: 'cell', name: 'cell 1', text: 'x = 1' } as const;

function done(run: string, text: string, more: Partial<Done> = {}): Done {
  return {
    type: 'done',
    run,
    text,
    finish: 'stop',
    usage: { prompt_tokens: 30, cached_tokens: 20, completion_tokens: 4, left_out_tokens: 0 },
    timings: {
      queue_ms: 0,
      prefill_ms: 1,
      decode_ms: 1,
      total_ms: 2,
      prefill_tokens_per_second: 0,
      decode_tokens_per_second: 0
    },
    model: { id: 'tiny', digest: '00', quantization: 'Q4_K_M' },
    sampling: { temperature: 0, top_k: 40, top_p: 1, min_p: 0, repeat_penalty: 1, seed: 7 },
    prompt_sha256: 'ab',
    confidence: null,
    parts: [],
    withheld: '',
    doubt: '',
    conversation: 'c0ffee',
    parent: '',
    left_out_turns: 0,
    ...more
  };
}

function made(): ChatModel {
  return new ChatModel(
    openChannel(),
    () => ORIGIN,
    () => new Date(0)
  );
}

function frame(event: object): void {
  const { id } = FakeWebSocket.last.request('chat');
  FakeWebSocket.last.receive({ id, event: (event as { type: string }).type, payload: event });
}

function answer(run: string, text: string, more: Partial<Done> = {}): void {
  frame({ type: 'started', run, conversation: 'c0ffee' });
  frame(done(run, text, more));
}

function payload(): Record<string, unknown> {
  return FakeWebSocket.last.request('chat').payload;
}

describe('a conversation', () => {
  it('is begun with the first question, and goes on after the last turn', () => {
    const model = made();
    expect(model.isRunning).toBe(false);
    model.ask('why?', [REFERENCE]);
    expect(model.isRunning).toBe(true);
    expect(payload()).toEqual({
      messages: [{ role: 'user', content: 'why?' }],
      references: [REFERENCE],
      conversation: 'new',
      origin: ORIGIN
    });
    answer('r1', 'because');
    expect(model.conversation).toBe('c0ffee');
    expect(model.turns.map(({ id, text, state }) => [id, text, state])).toEqual([
      ['r1', 'because', 'done']
    ]);
    model.ask('and?', []);
    expect(payload()).toMatchObject({ conversation: 'c0ffee', parent: 'r1' });
    answer('r2', 'so', { parent: 'r1' });
    expect(model.turns.map(({ parent }) => parent)).toEqual(['', 'r1']);
  });

  it('is asked anew from an earlier turn, and forgets on the screen what followed', () => {
    const model = made();
    for (const [run, words] of [
      ['r1', 'one'],
      ['r2', 'two'],
      ['r3', 'three']
    ] as const) {
      model.ask(words, words === 'two' ? [REFERENCE] : []);
      answer(run, run);
    }
    model.edit(1, 'another');
    expect(payload()).toMatchObject({
      messages: [{ role: 'user', content: 'another' }],
      references: [REFERENCE],
      conversation: 'c0ffee',
      parent: 'r1'
    });
    expect(model.turns.map(({ words }) => words)).toEqual(['one', 'another']);
    answer('r4', 'other');
    model.edit(0, 'first');
    expect(payload()).toMatchObject({ conversation: 'c0ffee', parent: '' });
  });

  it('answers a question once more', () => {
    const model = made();
    model.ask('why?', [REFERENCE]);
    answer('r1', 'because');
    model.regenerate(0);
    expect(payload()).toEqual({ conversation: 'c0ffee', regenerate: 'r1', origin: ORIGIN });
    expect(model.turns[0]?.references).toEqual([REFERENCE]);
    answer('r2', 'since');
    expect(model.turns.map(({ id, text }) => [id, text])).toEqual([['r2', 'since']]);
  });

  it('keeps a question that failed on the screen, and asks it again as it was', () => {
    const model = made();
    model.ask('why?', []);
    const error = { code: 'MODEL_NOT_READY', message: 'No.', recovery: 'Load one.', details: {} };
    frame({ type: 'error', run: '', error });
    expect(model.turns[0]).toMatchObject({ id: '', state: 'failed', error });
    model.regenerate(0);
    expect(payload()).toMatchObject({ conversation: 'new' });
    expect(model.turns).toHaveLength(1);
    answer('r1', '');
    expect(model.turns[0]?.id).toBe('');
    model.ask('again?', []);
    expect(model.turns.map(({ words }) => words)).toEqual(['again?']);
  });

  it('is not written to any more when another one is open', async () => {
    const model = made();
    model.ask('why?', []);
    frame({ type: 'started', run: 'r1', conversation: 'c0ffee' });
    frame({ type: 'delta', run: 'r1', text: 'bec' });
    model.begin();
    expect(FakeWebSocket.last.request('llm:cancel').payload).toEqual({ id: 'r1' });
    frame(done('r1', 'bec', { finish: 'canceled' }));
    await settle();
    expect([model.conversation, model.turns]).toEqual(['', []]);
    model.ask('new', []);
    expect(payload()).toMatchObject({ conversation: 'new' });
  });

  it('is opened with its turns', async () => {
    const model = made();
    const opening = model.open('c0ffee');
    const turn: Partial<Response> = {
      id: 'r1',
      parent_id: '',
      prompt: 'why?',
      references: [REFERENCE],
      content: 'be\u202ecause',
      finish: 'canceled',
      model: 'tiny',
      sampling: { seed: 3 },
      prompt_tokens: 3,
      cached_tokens: null,
      completion_tokens: 1
    };
    FakeWebSocket.last.answer('conversation:get', { info: {}, turns: [turn], alternatives: {} });
    await opening;
    expect(model.turns[0]).toMatchObject({
      id: 'r1',
      words: 'why?',
      text: 'because',
      state: 'stopped',
      tokens: { read: 3, cached: 0, written: 1 },
      record: { command: 'chat', model: 'tiny', seed: 3 }
    });
  });

  it('says why it cannot be opened', async () => {
    const model = made();
    const opening = model.open('gone');
    const error = { code: 'CONVERSATION_NOT_FOUND', message: 'Gone.', recovery: '', details: {} };
    FakeWebSocket.last.refuse('conversation:get', error);
    await opening;
    expect(model.error).toEqual(error);
  });
});

describe('a draft', () => {
  it('waits for the box, and is handed out once', () => {
    const model = made();
    model.draft({ words: '', references: [REFERENCE] });
    expect(model.takeDrafts()).toHaveLength(1);
    expect(model.takeDrafts()).toEqual([]);
  });
});

describe('the line below an answer', () => {
  it('says who answered and what it took', () => {
    const model = made();
    model.ask('why?', []);
    answer('r1', 'because', { left_out_turns: 2 });
    const trans = {
      ...bundle,
      _n: (one: string, many: string, count: number): string =>
        bundle.__(count === 1 ? one : many, count)
    } as never;
    const [turn] = model.turns;
    expect(turn && usageSentence(turn, trans)).toBe(
      'tiny · 30 tokens read (20 known from before), 4 written · 2 earlier turns did not fit'
    );
  });
});
