import { describe, expect, it } from 'vitest';

import type { QueueView } from '../../src/contract';
import { QueueModel } from '../../src/queue/model';
import { FakeWebSocket, openChannel, settle, trans } from '../fakes';
import { item, stream, view } from './samples';

const UPDATED = { event: 'queue:updated', payload: { length: 1, current: null } };

async function opened(first: QueueView = view(), isSeen = () => true) {
  const model = new QueueModel(openChannel(), trans, isSeen, 0);
  const socket = FakeWebSocket.last;
  void model.refresh();
  socket.answer('queue:list', first);
  await settle();
  return { model, socket };
}

const count = (socket: FakeWebSocket, op: string) =>
  socket.sent.filter(one => one.op === op).length;

describe('what is known', () => {
  it('counts everything that can be cancelled', async () => {
    const { model } = await opened(
      view({ running: [item('a')], waiting: [item('b'), item('c')], streams: [stream('s')] })
    );
    expect(model.open).toBe(4);
  });

  it('is asked for at each change, but never twice at a time', async () => {
    const { model, socket } = await opened();
    for (let change = 0; change < 10; change++) {
      socket.receive(UPDATED);
    }
    expect(count(socket, 'queue:list')).toBe(2);
    socket.answer('queue:list', view());
    await settle();
    expect(count(socket, 'queue:list')).toBe(3);
    socket.answer('queue:list', view({ waiting: [item('b')] }));
    await settle();
    expect(count(socket, 'queue:list')).toBe(3);
    expect(model.view?.waiting).toHaveLength(1);
  });

  it('is not asked for while nobody looks', async () => {
    let isSeen = true;
    const { socket } = await opened(view(), () => isSeen);
    isSeen = false;
    socket.receive(UPDATED);
    await settle();
    expect(count(socket, 'queue:list')).toBe(1);
  });
});

describe('cancelling', () => {
  it('ends one, and says so', async () => {
    const { model, socket } = await opened(view({ running: [item('a')] }));
    const done = model.cancel('a', 'Prompt');
    expect(socket.request('llm:cancel').payload).toEqual({ id: 'a' });
    expect(model.actionState.isBusy('a')).toBe(true);
    socket.answer('llm:cancel', {});
    await settle();
    socket.answer('queue:list', view());
    await done;
    expect(model.spoken).toBe('Prompt: cancelled.');
    expect(model.open).toBe(0);
  });

  it.each([
    ['REQUEST_ALREADY_COMPLETED', 'info', 'Prompt: already finished.'],
    ['REQUEST_NOT_FOUND', 'info', 'Prompt: already finished.'],
    ['UNKNOWN_ERROR', 'error', 'No.']
  ])('says what %s means', async (code, severity, message) => {
    const { model, socket } = await opened(view({ running: [item('a')] }));
    const done = model.cancel('a', 'Prompt');
    socket.refuse('llm:cancel', { code, message: 'No.', recovery: '', details: {} });
    await settle();
    socket.answer('queue:list', view());
    await done;
    expect(model.actionState.note('')).toMatchObject({ severity, message });
  });

  it('ends all, and says how many there were', async () => {
    const { model, socket } = await opened(view({ waiting: [item('a'), item('b')] }));
    const done = model.cancelAll();
    socket.answer('llm:cancelAll', { count: 2 });
    await settle();
    socket.answer('queue:list', view());
    await done;
    expect(model.actionState.note('')?.message).toBe('2 requests were cancelled.');
  });
});

describe('a prompt of this page', () => {
  it('is queued, and said where it stands', async () => {
    const { model, socket } = await opened();
    const done = model.add({ prompt: 'Hi', keep: true });
    expect(socket.request('llm:call').payload).toEqual({ prompt: 'Hi', keep: true });
    socket.answer('llm:call', { id: 'a', position: 3 });
    await settle();
    socket.answer('queue:list', view({ waiting: [item('a')] }));
    expect(await done).toBe(true);
    expect(model.actionState.note(' form')?.message).toContain('at position 3');
  });

  it('that is refused stays with the person, and says why', async () => {
    const { model, socket } = await opened();
    const done = model.add({ prompt: 'Hi' });
    const error = { code: 'QUEUE_FULL', message: 'Full.', recovery: 'Wait.', details: {} };
    socket.refuse('llm:call', error);
    await settle();
    socket.answer('queue:list', view());
    expect(await done).toBe(false);
    expect(model.actionState.note(' form')).toMatchObject({ severity: 'error', message: 'Full.' });
  });

  it('has an answer that can be shown and hidden', async () => {
    const { model, socket } = await opened(view({ ended: [item('a', { state: 'done' })] }));
    const done = model.show('a');
    socket.answer('queue:get', { item: item('a', { state: 'done' }), text: 'Hello.' });
    await done;
    expect(model.answer('a')?.text).toBe('Hello.');
    model.hide('a');
    expect(model.answer('a')).toBeUndefined();
  });

  it('can be read and hidden', async () => {
    const { model, socket } = await opened(view({ ended: [item('a', { state: 'failed' })] }));
    const done = model.showPrompt('a');
    expect(socket.request('queue:get').payload).toEqual({ id: 'a', with_prompt: true });
    socket.answer('queue:get', { item: item('a', { state: 'failed' }), prompt: 'Hi?' });
    await done;
    expect(model.prompt('a')).toBe('Hi?');
    model.hidePrompt('a');
    expect(model.prompt('a')).toBeUndefined();
  });

  it('that failed is asked again, for later, and its place is said', async () => {
    const { model, socket } = await opened(view({ ended: [item('a', { state: 'failed' })] }));
    const done = model.retry('a');
    expect(socket.request('llm:retry').payload).toEqual({ id: 'a', keep: true });
    expect(model.actionState.isBusy('a')).toBe(true);
    socket.answer('llm:retry', { id: 'b', position: 2 });
    await settle();
    socket.answer('queue:list', view({ waiting: [item('b')] }));
    await done;
    expect(model.actionState.note('a')?.message).toContain('at position 2');
    expect(model.view?.waiting).toHaveLength(1);
  });

  it('that cannot be asked again says why', async () => {
    const { model, socket } = await opened(view({ ended: [item('a', { state: 'failed' })] }));
    const done = model.retry('a');
    const error = { code: 'PROMPT_NOT_FOUND', message: 'Not kept.', recovery: '', details: {} };
    socket.refuse('llm:retry', error);
    await settle();
    socket.answer('queue:list', view());
    await done;
    expect(model.actionState.note('a')).toMatchObject({ severity: 'error', message: 'Not kept.' });
  });
});
