import { describe, expect, it, vi } from 'vitest';

import { changeView, type ICommandState, viewOf } from '../../../src/commands/view';
import type { NotebookCell } from '../../../src/contract';
import { provenance } from '../../../src/shared/answers/provenance';
import { StreamedAnswer } from '../../../src/shared/answers/streamedAnswer';
import { FakeWebSocket, openChannel, settle, trans as bundle } from '../../fakes';
import { done } from './samples';

const trans = {
  ...bundle,
  _n: (one: string, many: string, count: number): string =>
    bundle.__(count === 1 ? one : many, count)
} as never;

const LOCKED = { reason: 'locked-cell', sentence: '' } as const;
const DONE = done('r1', 'all of it');

function frame(request: number, event: object): void {
  const sent = FakeWebSocket.last.sent.filter(one => one.op === 'generate')[request];
  FakeWebSocket.last.receive({
    id: sent?.id,
    event: (event as { type: string }).type,
    payload: event
  });
}

function begun(): StreamedAnswer<'generate'> {
  const answer = new StreamedAnswer(openChannel(), 'generate');
  answer.start({ command: 'explain', code: 'x' });
  return answer;
}

describe('an answer', () => {
  it('grows, and ends with what the server says it is', () => {
    const answer = begun();
    expect(answer.state).toBe('waiting');
    frame(0, { type: 'started', run: 'r1' });
    frame(0, { type: 'delta', run: 'r1', text: 'all ' });
    expect([answer.state, answer.text]).toEqual(['writing', 'all ']);
    frame(0, DONE);
    expect([answer.state, answer.text, answer.isComplete]).toEqual(['done', 'all of it', true]);
  });

  it('is replaced by a second one where the first could not be used', () => {
    const answer = begun();
    frame(0, { type: 'started', run: 'r1' });
    frame(0, { type: 'delta', run: 'r1', text: 'bad', reasoning: 'why' });
    frame(0, { type: 'delta', run: 'r1', text: 'all ', attempt: 2 });
    expect([answer.text, answer.reasoning]).toEqual(['all ', '']);
    frame(0, { type: 'delta', run: 'r1', text: 'of', attempt: 2 });
    expect(answer.text).toBe('all of');
    answer.start({ command: 'explain', code: 'x' });
    frame(1, { type: 'started', run: 'r2' });
    frame(1, { type: 'delta', run: 'r2', text: 'a' });
    frame(1, { type: 'delta', run: 'r2', text: 'b' });
    expect(answer.text).toBe('ab');
  });

  it('says why it was stopped where that was nobody’s wish', () => {
    const answer = begun();
    frame(0, { type: 'started', run: 'r1' });
    frame(0, { ...DONE, text: 'all', finish: 'canceled', note: 'The server was stopped.' });
    expect([answer.state, answer.text]).toEqual(['stopped', 'all']);
    expect(answer.error?.message).toBe('The server was stopped.');
    const state: ICommandState = {
      answer: answer.state,
      hunks: 0,
      hasText: true,
      hasChat: false,
      done: answer.done,
      error: answer.error
    };
    expect(viewOf(state, trans).message).toBe('The server was stopped.');
    expect(viewOf({ ...state, done: DONE, error: null }, trans).message).toBe('Stopped.');
  });

  it('is over within seconds where the server does not answer, and takes nothing more', () => {
    vi.useFakeTimers();
    const answer = begun();
    frame(0, { type: 'started', run: 'r1' });
    frame(0, { type: 'delta', run: 'r1', text: 'all ' });
    answer.stop();
    expect(answer.isRunning).toBe(true);
    vi.advanceTimersByTime(5000);
    expect([answer.state, answer.isRunning, answer.text]).toEqual(['failed', false, 'all ']);
    expect(answer.error?.message).toContain('does not respond');
    frame(0, { type: 'delta', run: 'r1', text: 'of it' });
    frame(0, DONE);
    expect([answer.state, answer.text]).toEqual(['failed', 'all ']);
    // What was asked meanwhile is not touched by it.
    answer.start({ command: 'explain', code: 'y' });
    expect(answer.state).toBe('waiting');
    vi.useRealTimers();
  });

  it('goes on to its end where the server has heard that it is stopped', async () => {
    vi.useFakeTimers();
    const answer = begun();
    frame(0, { type: 'started', run: 'r1' });
    answer.stop();
    const { id } = FakeWebSocket.last.request('llm:cancel');
    FakeWebSocket.last.receive({ id, success: true, data: {} });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(answer.isRunning).toBe(true);
    frame(0, { ...DONE, text: 'all', finish: 'canceled' });
    expect([answer.state, answer.text]).toEqual(['stopped', 'all']);
    vi.useRealTimers();
  });

  it('that is stopped in time is over once', () => {
    vi.useFakeTimers();
    const answer = begun();
    frame(0, { type: 'started', run: 'r1' });
    answer.stop();
    frame(0, { ...DONE, text: 'all', finish: 'canceled' });
    vi.advanceTimersByTime(60_000);
    expect([answer.state, answer.text, answer.error]).toEqual(['stopped', 'all', null]);
    vi.useRealTimers();
  });

  it('that a silent server begins after all is still stopped there', () => {
    vi.useFakeTimers();
    const answer = begun();
    answer.stop();
    vi.advanceTimersByTime(5000);
    expect(answer.state).toBe('failed');
    frame(0, { type: 'started', run: 'r1' });
    expect(FakeWebSocket.last.request('llm:cancel').payload).toEqual({ id: 'r1' });
    expect(answer.state).toBe('failed');
    vi.useRealTimers();
  });

  it('keeps what the model reasons apart from what it answers', () => {
    const answer = begun();
    frame(0, { type: 'started', run: 'r1' });
    frame(0, { type: 'delta', run: 'r1', text: '', reasoning: 'hm ' });
    expect([answer.state, answer.isRunning, answer.text]).toEqual(['reasoning', true, '']);
    frame(0, { type: 'delta', run: 'r1', text: '', reasoning: 'well' });
    expect([answer.state, answer.reasoning]).toEqual(['reasoning', 'hm well']);
    frame(0, { type: 'delta', run: 'r1', text: 'all ', reasoning: '' });
    expect([answer.state, answer.text]).toEqual(['writing', 'all ']);
    // Only the end tells what of it was reasoning, and what of that is kept.
    frame(0, { ...DONE, text: 'all', reasoning: 'hm' });
    expect([answer.text, answer.reasoning]).toEqual(['all', 'hm']);
    answer.start({ command: 'explain', code: 'y' });
    expect(answer.reasoning).toBe('');
  });

  it('shows what was reasoned where no answer came of it', () => {
    const answer = begun();
    frame(0, { type: 'started', run: 'r1' });
    frame(0, { type: 'delta', run: 'r1', text: '', reasoning: 'hm' });
    const error = { code: 'NO_ANSWER', message: 'None.', recovery: 'Ask.', details: {} };
    frame(0, { type: 'error', run: 'r1', error });
    expect([answer.state, answer.text, answer.reasoning]).toEqual(['failed', '', 'hm']);
  });

  it('keeps what had come when it is stopped', async () => {
    const answer = begun();
    frame(0, { type: 'started', run: 'r1' });
    frame(0, { type: 'delta', run: 'r1', text: 'all ' });
    answer.stop();
    expect(FakeWebSocket.last.request('llm:cancel').payload).toEqual({ id: 'r1' });
    frame(0, { ...DONE, text: 'all ', finish: 'canceled' });
    await settle();
    expect([answer.state, answer.text, answer.isComplete]).toEqual(['stopped', 'all ', false]);
  });

  it('is not mixed with the one before', () => {
    const answer = begun();
    frame(0, { type: 'started', run: 'r1' });
    answer.start({ command: 'explain', code: 'y' });
    frame(0, { ...DONE, text: 'old', finish: 'canceled' });
    expect([answer.state, answer.text]).toEqual(['waiting', '']);
    frame(1, { type: 'started', run: 'r2' });
    frame(1, { ...DONE, run: 'r2', text: 'new' });
    expect(answer.text).toBe('new');
  });
});

describe('what the panel offers', () => {
  const state: ICommandState = {
    answer: 'done',
    proposal: 'open',
    hunks: 2,
    hasText: true,
    hasChat: false,
    done: DONE,
    error: null
  };

  it('is not to accept what the service withholds', () => {
    const change = { code: '', notes: [], problem: 'It is foreign.', recovery: 'Ask again.' };
    const view = viewOf({ ...state, hunks: 0, done: { ...DONE, change } }, trans);
    expect(view).toMatchObject({
      message: 'It is foreign.',
      recovery: 'Ask again.',
      isReady: false
    });
    expect(view.actions).toEqual(['retry', 'copy', 'close']);
  });

  it('says what was left out of the answer', () => {
    const change = { code: 'x', notes: ['Copies were left out.'], problem: '', recovery: '' };
    const view = viewOf({ ...state, done: { ...DONE, change } }, trans);
    expect(view.message).toBe('2 changes suggested. Copies were left out.');
    expect(view.isReady).toBe(true);
  });

  it('is to accept what is complete', () => {
    const view = viewOf(state, trans);
    expect(view.actions).toEqual(['accept', 'reject', 'try', 'retry', 'copy']);
    expect(view.message).toBe('2 changes suggested.');
    expect(view.isReady).toBe(true);
  });

  it.each([
    { answer: 'stopped' },
    { proposal: 'stale' },
    { hunks: 0 },
    { refusal: LOCKED },
    { refusal: { reason: 'unfit', sentence: 'A magic would be lost.' } },
    { hasText: false, hunks: 0 },
    { done: { ...DONE, finish: 'length' } }
  ] as Partial<ICommandState>[])('is never to accept where %o', change => {
    const view = viewOf({ ...state, ...change }, trans);
    expect(view.isReady).toBe(false);
    expect(view.actions).not.toContain('accept');
    expect(view.actions).toContain(change.refusal ? 'reject' : 'close');
    expect(view.message).not.toBe('');
  });

  it('says what a check says', () => {
    const refusal = { reason: 'unfit', sentence: 'A magic would be lost.' } as const;
    expect(viewOf({ ...state, refusal }, trans).message).toBe('A magic would be lost.');
  });

  it('says that nothing was answered', () => {
    const view = viewOf({ ...state, hasText: false, hunks: 0 }, trans);
    expect(view.message).toBe('The model returned no answer, so the cell was not changed.');
    const text = { ...state, proposal: undefined, hasText: false, hunks: 0 };
    expect(viewOf(text, trans).actions).toEqual(['retry', 'close']);
  });

  it('is to compare what is whole with a cell that was changed', () => {
    const stale: ICommandState = { ...state, proposal: 'stale' };
    expect(viewOf(stale, trans).actions).not.toContain('compare');
    const view = viewOf({ ...stale, canCompare: true }, trans);
    expect(view.actions).toEqual(['compare', 'retry', 'copy', 'close']);
    expect(view.recovery).toContain('Compare');
  });

  it('says why it stopped by itself', () => {
    const stopped: ICommandState = { ...state, answer: 'stopped' };
    expect(viewOf({ ...stopped, cause: 'kernel' }, trans).message).toContain(
      'kernel was restarted'
    );
    expect(viewOf({ ...stopped, cause: 'split' }, trans).message).toContain('was split');
    const stale: ICommandState = { ...stopped, proposal: 'stale', cause: 'split' };
    expect(viewOf(stale, trans).message).toContain('was split');
  });

  it('is to stop what runs, and nothing else', () => {
    expect(viewOf({ ...state, answer: 'writing' }, trans).actions).toEqual(['stop']);
  });

  it('is the way to a model where there is none', () => {
    const error = { code: 'MODEL_NOT_READY', message: 'None is here.', recovery: '', details: {} };
    const failed: ICommandState = {
      ...state,
      answer: 'failed',
      hunks: 0,
      hasText: false,
      done: null
    };
    for (const code of ['MODEL_NOT_READY', 'MODEL_NOT_FOUND']) {
      expect(viewOf({ ...failed, error: { ...error, code } }, trans).actions).toEqual([
        'setup',
        'retry',
        'close'
      ]);
    }
    expect(viewOf({ ...failed, error: { ...error, code: 'TIMEOUT' } }, trans).actions).toEqual([
      'retry',
      'close'
    ]);
  });

  it('is to insert an answer that is text', () => {
    const view = viewOf({ ...state, proposal: undefined, hunks: 0 }, trans);
    expect(view.actions).toEqual(['retry', 'copy', 'insert', 'close']);
    const chatting = viewOf({ ...state, hasChat: true }, trans);
    expect(chatting.actions).toEqual(['accept', 'reject', 'try', 'retry', 'copy', 'chat']);
  });
});

describe('where code came from', () => {
  const now = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
  const common = {
    id: 'r1',
    model: 'tiny',
    digest: 'sha256:00',
    quantization: 'Q4_K_M',
    sampling: DONE.sampling,
    seed: 7,
    prompt_sha256: 'ab',
    provider: 'embedded',
    text_sha256: 'cd',
    completion_tokens: 4,
    finish: 'stop',
    time: '2026-01-02T03:04:05+00:00'
  };

  it('is what it takes to ask again', () => {
    const request = { command: 'improve', code: 'x' } as const;
    expect(provenance(DONE, now, request)).toEqual({
      ...common,
      command: 'improve',
      seeded: false,
      request
    });
    expect(provenance(DONE, now, { ...request, sampling: { seed: 0 } }).seeded).toBe(true);
  });

  it('holds the text of no other cell', () => {
    const asked = { command: 'fix', code: 'own', instruction: 'please' } as const;
    const context: NotebookCell[] = [{ source: 'secret = 1', head: 'secret' }];
    const record = provenance(DONE, now, { ...asked, context, error: 'Cell In[1]: secret = 1' });
    expect(record.request).toEqual(asked);
    expect(JSON.stringify(record)).not.toContain('secret');
  });

  it('holds nothing of what was private', () => {
    const record = provenance(DONE, now, { command: 'improve', code: 'own', private: true });
    expect(record.request).toBeUndefined();
    expect([record.prompt_sha256, record.text_sha256]).toEqual(['', '']);
    expect(record.model).toBe(DONE.model.id);
  });

  it('is a chat without a request', () => {
    expect(provenance(DONE, now)).toEqual({ ...common, command: 'chat', seeded: false });
  });
});

describe('a change that is there already', () => {
  it('is accepted or rejected while the cell is what it was made for', () => {
    const state = { proposal: 'open', hunks: 2, refusal: null, canCompare: false } as const;
    expect(changeView(state, trans)).toMatchObject({
      message: '2 changes suggested.',
      actions: ['accept', 'reject', 'try']
    });
    const stale = changeView({ ...state, proposal: 'stale', canCompare: true }, trans);
    expect(stale).toMatchObject({
      severity: 'warning',
      actions: ['compare', 'copy', 'close'],
      isReady: false
    });
    expect(stale.message).toContain('The cell was changed in the meantime');
    const locked = changeView({ ...state, refusal: LOCKED }, trans);
    expect(locked).toMatchObject({ actions: ['copy', 'close'], isReady: false });
    expect(locked.message).toContain('read-only');
  });
});
