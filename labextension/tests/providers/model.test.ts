import { describe, expect, it } from 'vitest';

import type { ProviderList } from '../../src/contract';
import { COMPLETES, ProvidersModel } from '../../src/providers/model';
import { FakeWebSocket, makeChannel, openChannel, settle, trans } from '../fakes';
import { settings } from '../models/samples';
import { list, provider } from './samples';

const REFUSAL = { code: 'AUTH_ERROR', message: 'It says no.', recovery: 'Ask.', details: {} };
const TESTED = { id: 'lab', models: ['m'], latency_ms: 5, model_listed: true };

async function opened(first: ProviderList = list(provider('lab')), airGap = false) {
  const channel = openChannel();
  const model = new ProvidersModel(channel, trans);
  const socket = FakeWebSocket.last;
  void model.refresh();
  await settle();
  socket.answer('provider:list', first);
  socket.answer('settings:get', settings({ air_gap: airGap }));
  await settle();
  return { channel, model, socket };
}

/** Every text that can be reached from a value. */
function textsIn(value: unknown, seen: Set<unknown>): string[] {
  if (typeof value === 'string') {
    return [value];
  }
  if (typeof value !== 'object' || value === null || seen.has(value)) {
    return [];
  }
  seen.add(value);
  const inner = value instanceof Map ? [...value.entries()] : Object.values(value);
  return inner.flatMap(one => textsIn(one, seen));
}

const count = (socket: FakeWebSocket, op: string) =>
  socket.sent.filter(one => one.op === op).length;

describe('what is known', () => {
  it('is asked for when somebody looks, also before there is a connection', async () => {
    const channel = makeChannel();
    const model = new ProvidersModel(channel, trans);
    await model.refresh();
    expect(model.isKnown).toBe(false);
    FakeWebSocket.last.open();
    await settle();
    FakeWebSocket.last.answer('provider:list', list());
    FakeWebSocket.last.answer('settings:get', settings());
    await settle();
    expect(model.list?.providers.map(({ id }) => id)).toEqual(['embedded']);
    expect(model.kinds.map(({ type }) => type)).not.toContain('embedded');
  });

  it('follows what others change', async () => {
    const { model, socket } = await opened();
    socket.receive({ event: 'providers:changed', payload: list(provider('new')) });
    expect(model.find('new')).toBeDefined();
    expect(model.find('lab')).toBeUndefined();
    expect(count(socket, 'provider:list')).toBe(1);
  });

  it('follows the air gap, and asks then what is to be said of each', async () => {
    const { model, socket } = await opened(list(provider('lab')), true);
    expect(model.airGap).toBe(true);
    socket.receive({ event: 'settings:changed', payload: settings({ air_gap: true }) });
    await settle();
    expect(count(socket, 'provider:list')).toBe(1);
    socket.receive({ event: 'settings:changed', payload: settings() });
    await settle();
    expect(model.airGap).toBe(false);
    expect(count(socket, 'provider:list')).toBe(2);
  });

  it('is asked for anew of the next server, which may have another air gap', async () => {
    const { channel, model, socket } = await opened();
    socket.drop();
    await settle();
    expect(model.channel).toBe('away');
    channel.connect();
    const next = FakeWebSocket.last;
    expect(next).not.toBe(socket);
    next.open();
    await settle();
    next.answer('provider:list', list());
    next.answer('settings:get', settings({ air_gap: true }));
    await settle();
    expect([model.airGap, model.list?.providers.length]).toEqual([true, 1]);
  });
});

describe('what a person asks for', () => {
  it('makes another one the active one', async () => {
    const { model, socket } = await opened();
    const done = model.activate('lab');
    expect(model.actionState.isBusy('lab')).toBe(true);
    socket.answer('provider:setActive', list(provider('lab', { active: true })));
    expect(await done).toBe(true);
    expect(model.list?.active).toBe('lab');
    expect(model.actionState.isBusy('lab')).toBe(false);
    expect(model.spoken).toBe('lab is now the active provider.');
  });

  it('shows what a test has shown, until the provider is another one', async () => {
    const { model, socket } = await opened();
    const done = model.test('lab');
    socket.answer('provider:test', TESTED);
    await done;
    expect(model.tested('lab')?.latency_ms).toBe(5);
    expect(model.spoken).toBe('lab: Responded in 5 ms. The model m is available.');
    socket.receive({
      event: 'providers:changed',
      payload: list(provider('lab', { active: true, name: 'Lab' }))
    });
    expect(model.tested('lab')).toBeDefined();
    socket.receive({ event: 'providers:changed', payload: list(provider('lab', { model: 'n' })) });
    expect(model.tested('lab')).toBeUndefined();
  });

  it('notes at the provider why a test has failed', async () => {
    const { model, socket } = await opened();
    const done = model.test('lab');
    socket.refuse('provider:test', REFUSAL);
    await done;
    expect(model.actionState.note('lab')).toMatchObject({
      severity: 'error',
      message: 'It says no.'
    });
    expect(model.spoken).toBe('It says no. Ask.');
    const again = model.test('lab');
    expect(model.actionState.note('lab')).toBeUndefined();
    socket.answer('provider:test', TESTED);
    await again;
  });

  it('hands a refusal to the form, and keeps no key', async () => {
    const { channel, model, socket } = await opened();
    const saving = model.save({ id: 'lab', type: 'openai', key: 'sk-canary' });
    expect(model.isSaving).toBe(true);
    socket.refuse('provider:save', { ...REFUSAL, details: { field: 'key' } });
    expect((await saving)?.details.field).toBe('key');
    expect(model.isSaving).toBe(false);
    expect(model.actionState.note('lab')).toBeUndefined();
    // The channel is the socket of the test, which has heard it.
    const texts = textsIn(model, new Set<unknown>([channel]));
    expect(texts).toContain('It says no. Ask.');
    expect(texts).not.toContain('sk-canary');
  });

  it('hands a key on, and keeps none', async () => {
    const { channel, model, socket } = await opened(list(provider('lab', { configured: true })));
    const done = model.setKey('lab', 'sk-canary');
    expect(socket.sent.at(-1)).toMatchObject({
      op: 'provider:setKey',
      payload: { id: 'lab', key: 'sk-canary' }
    });
    socket.answer('provider:setKey', provider('lab', { configured: true, key: 'file' }));
    await done;
    expect(model.spoken).toBe('The key of lab is saved.');
    expect(textsIn(model, new Set<unknown>([channel]))).not.toContain('sk-canary');
  });

  it('saves, and says so', async () => {
    const { model, socket } = await opened();
    const saving = model.save({ id: 'new', type: 'ollama' });
    socket.answer('provider:save', provider('new', { name: 'New' }));
    await settle();
    socket.answer('provider:list', list(provider('lab'), provider('new', { name: 'New' })));
    expect(await saving).toBeNull();
    expect(model.find('new')?.name).toBe('New');
    expect(model.spoken).toBe('New is saved.');
  });

  it('deletes, or says why not', async () => {
    const { model, socket } = await opened();
    const refused = model.delete('lab');
    socket.refuse('provider:delete', { ...REFUSAL, code: 'PROVIDER_IN_USE' });
    expect(await refused).toBe(false);
    expect(model.actionState.note('lab')?.message).toBe('It says no.');
    const done = model.delete('lab');
    socket.answer('provider:delete', { note: '' });
    await settle();
    socket.answer('provider:list', list());
    expect(await done).toBe(true);
    expect(model.spoken).toBe('lab is removed.');
  });

  it('makes the embedded one the active one before it deletes that', async () => {
    const before = { ...list(provider('lab', { active: true })), active: 'lab' };
    const { model, socket } = await opened(before);
    const locked = model.delete('lab');
    socket.refuse('provider:setActive', REFUSAL);
    expect(await locked).toBe(false);
    expect(model.actionState.note('lab')?.message).toBe('It says no.');
    expect(count(socket, 'provider:delete')).toBe(0);

    const done = model.delete('lab');
    expect(socket.sent.at(-1)).toMatchObject({
      op: 'provider:setActive',
      payload: { id: 'embedded' }
    });
    socket.answer('provider:setActive', list(provider('lab')));
    await settle();
    socket.answer('provider:delete', { note: '' });
    await settle();
    socket.answer('provider:list', list());
    expect(await done).toBe(true);
    expect(model.spoken).toBe(
      'lab is removed. The embedded model now answers commands, chats and queued prompts.'
    );
  });

  it('lets one complete, and goes back with it when it is deleted', async () => {
    const { model, socket } = await opened(list(provider('lab', { completes: true })));
    expect([model.isCompleting('embedded'), model.isCompleting('lab')]).toEqual([true, false]);
    const done = model.completeBy('lab');
    expect(socket.sent.at(-1)?.payload).toEqual({ completion_provider: 'lab' });
    socket.answer('settings:update', settings({ completion_provider: 'lab' }));
    expect(await done).toBe(true);
    expect(model.isCompleting('lab')).toBe(true);
    expect(model.spoken).toBe('lab now completes while you type.');

    const deleted = model.delete('lab');
    socket.receive({ event: 'settings:changed', payload: settings() });
    socket.answer('provider:delete', { note: 'The embedded model now completes while you type.' });
    await settle();
    socket.answer('provider:list', list());
    expect(await deleted).toBe(true);
    expect(model.isCompleting('embedded')).toBe(true);
    expect(model.spoken).toBe('lab is removed. The embedded model now completes while you type.');
  });

  it('notes at the choice why one may not complete', async () => {
    const { model, socket } = await opened();
    const done = model.completeBy('lab');
    socket.refuse('settings:update', REFUSAL);
    expect(await done).toBe(false);
    expect(model.isCompleting('embedded')).toBe(true);
    expect(model.actionState.note(COMPLETES)?.message).toBe('It says no.');
  });

  it('forgets a key', async () => {
    const { model, socket } = await opened(list(provider('lab', { key: 'file' })));
    const done = model.forgetKey('lab');
    socket.answer('provider:forgetKey', provider('lab'));
    await done;
    expect(model.spoken).toBe('The key of lab is deleted.');
  });

  it('fails with a sentence where the connection is lost', async () => {
    const { model, socket } = await opened();
    const done = model.activate('lab');
    socket.drop();
    expect(await done).toBe(false);
    expect(model.actionState.note('lab')?.message).toBe('Cannot connect to the Jupyter server.');
  });
});
