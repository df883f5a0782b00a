import { describe, expect, it } from 'vitest';

import { ChatModel } from '../../src/chat/model';
import { versionOf } from '../../src/chat/turn';
import { usageSentence, whoSentence } from '../../src/chat/words';
import type { Done, KernelVariable, ProviderInfo, Response } from '../../src/contract';
import { FakeWebSocket, openChannel, settle, trans as bundle } from '../fakes';
import { list, provider } from '../providers/samples';
import { done } from '../shared/answers/samples';

const ORIGIN = { notebook: 'a.ipynb', cell: 'c1' };
const REFERENCE = { kind: 'cell', name: 'cell 1', text: 'x = 1' } as const;

function ended(run: string, text: string, more: Partial<Done> = {}): Done {
  return done(run, text, { conversation: 'c0ffee', ...more });
}

function made(variables: readonly KernelVariable[] = []): ChatModel {
  return new ChatModel(
    openChannel(),
    () => ORIGIN,
    () => variables,
    () => new Date(0)
  );
}

function frame(event: object): void {
  const { id } = FakeWebSocket.last.request('chat');
  FakeWebSocket.last.receive({ id, event: (event as { type: string }).type, payload: event });
}

function answer(run: string, text: string, more: Partial<Done> = {}): void {
  frame({ type: 'started', run, conversation: 'c0ffee', provider: more.provider ?? 'embedded' });
  frame(ended(run, text, more));
}

const trans = {
  ...bundle,
  _n: (one: string, many: string, count: number): string =>
    bundle.__(count === 1 ? one : many, count)
} as never;

/** The line below the first answer. */
function below(model: ChatModel): string {
  const [turn] = model.turns;
  return turn ? usageSentence(turn, trans) : '';
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

  it('goes with what the kernel has told of its variables, unless the person says no', () => {
    const df = { name: 'df', type: 'DataFrame', signature: '', shape: [3, 1], columns: [] };
    const model = made([df]);
    model.ask('what is in df?', []);
    expect(payload().variables).toEqual([df]);
    answer('r1', 'rows');
    model.regenerate(0);
    expect(payload().variables).toEqual([df]);
    answer('r2', 'rows');
    model.setUsesVariables(false);
    model.ask('and now?', []);
    expect(payload()).not.toHaveProperty('variables');
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
    frame({ type: 'started', run: 'r1', conversation: 'c0ffee', provider: 'embedded' });
    frame({ type: 'delta', run: 'r1', text: 'bec' });
    model.begin();
    expect(FakeWebSocket.last.request('llm:cancel').payload).toEqual({ id: 'r1' });
    frame(ended('r1', 'bec', { finish: 'canceled' }));
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
      kind: 'chat',
      parent_id: '',
      prompt: 'why?',
      references: [REFERENCE],
      content: 'be\u202ecause',
      finish: 'canceled',
      model: 'tiny',
      sampling: { seed: 3 },
      provider: 'lab',
      cost_usd: 0.5,
      left_out_turns: 2,
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
      leftOut: 2,
      record: { command: 'chat', provider: 'lab', model: 'tiny', seed: 3 }
    });
    expect(below(model)).toBe(
      'tiny by lab · 3 tokens read, 1 written · 2 earlier turns did not fit · about $0.50'
    );
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

describe('the versions of a turn', () => {
  const ERROR = { code: 'CONVERSATION_NOT_FOUND', message: 'Gone.', recovery: '', details: {} };
  const turn = (id: string): Partial<Response> => ({
    id,
    parent_id: '',
    prompt: 'why?',
    references: [],
    content: id,
    finish: 'stop',
    sampling: {}
  });
  const version = (model: ChatModel, index = 0): string => {
    const shown = model.turns[index];
    const { at, count } = shown ? versionOf(shown) : { at: -1, count: 0 };
    return `${at + 1} of ${count}`;
  };

  function answeredTwice(): ChatModel {
    const model = made();
    model.ask('why?', []);
    answer('r1', 'r1');
    expect(version(model)).toBe('1 of 0');
    model.regenerate(0);
    expect(version(model)).toBe('2 of 2');
    answer('r2', 'r2');
    expect(version(model)).toBe('2 of 2');
    return model;
  }

  it('are shown with what follows them, and gone on from', async () => {
    const model = answeredTwice();
    const key = model.turns[0]?.key;
    const showing = model.show(0, 'r1');
    const { payload: asked } = FakeWebSocket.last.request('conversation:get');
    expect(asked).toEqual({ id: 'c0ffee', turn: 'r1' });
    FakeWebSocket.last.answer('conversation:get', {
      info: {},
      turns: [turn('r1'), { ...turn('r3'), parent_id: 'r1' }],
      alternatives: { r1: ['r1', 'r2'] }
    });
    await showing;
    expect(model.turns.map(({ id }) => id)).toEqual(['r1', 'r3']);
    expect(model.turns[0]?.key).toBe(key);
    expect([version(model), version(model, 1)]).toEqual(['1 of 2', '1 of 0']);
    model.ask('and?', []);
    expect(payload()).toMatchObject({ conversation: 'c0ffee', parent: 'r3' });
  });

  it('are shown as they were where the server keeps none', async () => {
    const model = answeredTwice();
    for (const [id, expected] of [
      ['r1', '1 of 2'],
      ['r2', '2 of 2']
    ] as const) {
      const showing = model.show(0, id);
      FakeWebSocket.last.refuse('conversation:get', ERROR);
      await showing;
      expect([model.turns.map(one => one.text), version(model)]).toEqual([[id], expected]);
      expect(model.error).toBeNull();
    }
  });

  it('are left alone when something else is shown meanwhile', async () => {
    const model = answeredTwice();
    const showing = model.show(0, 'r1');
    model.begin();
    FakeWebSocket.last.answer('conversation:get', {
      info: {},
      turns: [turn('r1')],
      alternatives: {}
    });
    await showing;
    expect(model.turns).toEqual([]);
  });

  it('are counted also where a question was edited, and over one that failed', () => {
    const model = made();
    model.ask('why?', []);
    answer('r1', 'r1');
    model.edit(0, 'how?');
    frame({ type: 'error', run: '', error: ERROR });
    expect(version(model)).toBe('2 of 2');
    model.ask('when?', []);
    answer('r2', 'r2');
    expect(model.turns[0]?.alternatives).toEqual(['r1', 'r2']);
  });
});

describe('a title', () => {
  const info = (title: string) => ({ id: 'c0ffee', title, turns: 1 });

  async function listed(): Promise<ChatModel> {
    const model = made();
    const listing = model.refresh();
    FakeWebSocket.last.answer('conversation:list', { conversations: [info('why?')] });
    await listing;
    return model;
  }

  it('is given by hand', async () => {
    const model = await listed();
    const renaming = model.rename('c0ffee', 'Reasons');
    const { payload: asked } = FakeWebSocket.last.request('conversation:rename');
    expect(asked).toEqual({ id: 'c0ffee', title: 'Reasons' });
    FakeWebSocket.last.answer('conversation:rename', info('Reasons'));
    await renaming;
    expect(model.conversations).toEqual([info('Reasons')]);
  });

  it('that is refused is told', async () => {
    const model = await listed();
    const error = { code: 'DISK_FULL', message: 'Full.', recovery: 'Make room.', details: {} };
    const renaming = model.rename('c0ffee', 'Reasons');
    FakeWebSocket.last.refuse('conversation:rename', error);
    await renaming;
    expect(model.error).toEqual(error);
    expect(model.conversations).toEqual([info('why?')]);
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
    expect(below(model)).toBe(
      'tiny · 30 tokens read (20 cached), 4 written · 2 earlier turns did not fit'
    );
  });

  it('says where a question goes before it is answered, and no number that nobody told', () => {
    const model = made();
    model.ask('why?', []);
    expect(below(model)).toBe('');
    frame({ type: 'started', run: 'r1', conversation: 'c0ffee', provider: 'lab' });
    expect(below(model)).toBe('Sent to lab');
    const usage = {
      prompt_tokens: null,
      cached_tokens: null,
      completion_tokens: null,
      reasoning_tokens: null,
      left_out_tokens: 0
    };
    frame(ended('r1', 'because', { provider: 'lab', usage, sampling: null }));
    expect(below(model)).toBe('tiny by lab');
    expect(model.turns[0]?.record).toMatchObject({ provider: 'lab', sampling: {}, seed: null });
  });
});

describe('active provider', () => {
  const LAB = provider('lab', { name: 'The lab' });

  async function known(...others: ProviderInfo[]): Promise<ChatModel> {
    const model = made();
    void model.refresh();
    FakeWebSocket.last.answer('provider:list', list(...others));
    await settle();
    return model;
  }

  it('is the active one, unless another is chosen', async () => {
    const model = await known(LAB);
    expect(model.provider?.id).toBe('embedded');
    model.ask('one', []);
    expect(payload()).not.toHaveProperty('provider');
    answer('r1', 'because');
    model.choose('lab');
    expect(model.provider?.name).toBe('The lab');
    model.ask('two', []);
    expect(payload()).toMatchObject({ provider: 'lab' });
    answer('r2', 'so', { provider: 'lab' });
    model.regenerate(0);
    expect(payload()).toMatchObject({ provider: 'lab', regenerate: 'r1' });
  });

  it('follows the service, and is not somebody who is gone', async () => {
    const model = await known(LAB);
    model.choose('lab');
    const event = (payload: unknown): void => {
      FakeWebSocket.last.receive({ event: 'providers:changed', payload });
    };
    event(list());
    expect([model.chosen, model.provider?.id]).toEqual(['', 'embedded']);
    event(list({ ...LAB, active: true }));
    expect([model.chosen, model.provider?.id]).toEqual(['', 'lab']);
  });

  it('says where the question goes', async () => {
    const model = await known({ ...LAB, active: true });
    expect(model.provider && whoSentence(model.provider, trans)).toBe(
      'The lab answers. Prompts go to another machine: models.example.'
    );
    const shut = provider('lab', { problem: 'The air gap is on.' });
    expect(whoSentence(shut, trans)).toBe('lab answers. The air gap is on.');
  });
});

describe('a private question', () => {
  it('is marked, and stays private when it is answered once more', () => {
    const model = made();
    model.setPrivate(true);
    model.ask('why?', []);
    expect(payload()).toMatchObject({ private: true });
    answer('r1', 'because');
    expect(below(model)).toContain('private: not saved');
    model.setPrivate(false);
    model.ask('and?', []);
    expect(payload()).not.toHaveProperty('private');
    answer('r2', 'so');
    model.regenerate(0);
    expect(payload()).toMatchObject({ private: true, regenerate: 'r1' });
  });
});
