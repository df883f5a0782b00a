import { describe, expect, it } from 'vitest';

import { ModelsModel } from '../../src/models/model';
import { GENERAL } from '../../src/shared/ui/actionState';
import { FakeWebSocket, makeChannel, openChannel, settle, trans } from '../fakes';
import { info, list, moved, settings } from './samples';

const STOPPED = {
  state: 'stopped',
  generation: 0,
  reason: '',
  model: null,
  profile: 'auto',
  resident: [],
  residency: ''
};

/** Answer everything that is asked, until nothing more is. */
async function answerAll(socket: FakeWebSocket, answers: Record<string, unknown>): Promise<void> {
  const answered = (socket as unknown as { answered?: Set<string> }).answered ?? new Set<string>();
  (socket as unknown as { answered: Set<string> }).answered = answered;
  for (let turn = 0; turn < 5; turn++) {
    for (const { id, op } of socket.sent) {
      if (!answered.has(id) && op in answers) {
        answered.add(id);
        socket.receive({ id, success: true, data: answers[op] });
      }
    }
    await settle();
  }
}

async function opened(...models: ReturnType<typeof info>[]) {
  const channel = openChannel();
  const model = new ModelsModel(channel, trans);
  const socket = FakeWebSocket.last;
  const answers: Record<string, unknown> = {
    'model:list': list(...models),
    'settings:get': settings(),
    'backend:ping': STOPPED
  };
  await answerAll(socket, answers);
  const tell = (event: string, payload: unknown): void => {
    socket.receive({ event, payload });
  };
  return { channel, model, socket, answers, tell };
}

const asked = (socket: FakeWebSocket, op: string) => socket.sent.filter(one => one.op === op);

describe('a licence', () => {
  it('is not asked for where it was accepted in another tab meanwhile', async () => {
    const before = info('a', { received_bytes: 7 });
    const { model, socket, answers } = await opened(before);
    const asks = async (): Promise<string | undefined> => {
      const license = model.licenseToAccept(before);
      await answerAll(socket, answers);
      return (await license)?.id;
    };
    expect(await asks()).toBe('Apache-2.0');
    answers['model:list'] = list({ ...before, license_accepted: true });
    expect(await asks()).toBeUndefined();
  });
});

describe('what is known', () => {
  it('is asked for as soon as there is a connection', async () => {
    const channel = makeChannel();
    const model = new ModelsModel(channel, trans);
    expect([model.list, model.settings, model.backend]).toEqual([null, null, null]);
    channel.connect();
    FakeWebSocket.last.open();
    await answerAll(FakeWebSocket.last, {
      'model:list': list(info('a')),
      'settings:get': settings(),
      'backend:ping': STOPPED
    });
    expect(model.models.map(view => [view.info.id, view.isForCode, view.isForGeneral])).toEqual([
      ['a', true, false]
    ]);
  });

  it('follows a download without asking, and asks when it has ended', async () => {
    const { model, socket, answers, tell } = await opened(info('a'));
    const before = asked(socket, 'model:list').length;
    tell('model:state', moved('a', { received_bytes: 100, rate_bytes_per_second: 50 }));
    tell('model:state', moved('a', { received_bytes: 200, rate_bytes_per_second: 50 }));
    expect(model.models[0]?.progress?.receivedBytes).toBe(200);
    expect(asked(socket, 'model:list')).toHaveLength(before);
    tell('model:state', moved('a', { activity: '', state: 'ready', received_bytes: 1000 }));
    expect(model.models[0]?.info.state).toBe('ready');
    expect(model.models[0]?.progress).toBeNull();
    expect(model.spoken).toBe('Model a is ready.');
    expect(asked(socket, 'model:list')).toHaveLength(before + 1);
    answers['model:list'] = list(info('a', { state: 'ready', loaded: true }));
    await answerAll(socket, answers);
    expect(model.models[0]?.info.loaded).toBe(true);
  });

  it('says in the tab that asked that a file is what it must be', async () => {
    const { model, socket, answers, tell } = await opened(info('a', { state: 'ready' }));
    answers['model:verify'] = info('a', { state: 'verifying' });
    void model.verify('a');
    await answerAll(socket, answers);
    const ended = moved('a', { activity: '', state: 'ready' });
    tell('model:state', ended); // Its version was pinned just before.
    tell('model:state', moved('a', { activity: 'verify', state: 'verifying' }));
    expect(model.actionState.note('a')).toBeUndefined();
    tell('model:state', ended);
    expect(model.actionState.note('a')?.message).toContain('Verified');
    model.actionState.dismiss('a');
    tell('model:state', ended);
    expect(model.actionState.note('a')).toBeUndefined();
  });

  it('keeps the same object for a model that has not changed', async () => {
    const { model, tell } = await opened(info('a'), info('b'));
    const [, before] = model.models;
    tell('model:state', moved('a', { received_bytes: 100 }));
    expect(model.models[1]).toBe(before);
    expect(model.models[0]?.progress?.receivedBytes).toBe(100);
  });

  it('shows imports that are under no known id', async () => {
    const { model, tell } = await opened(info('a'));
    tell('model:state', moved('new', { activity: 'import', state: 'verifying' }));
    tell('model:state', moved('a', { activity: 'verify', state: 'verifying' }));
    expect(model.imports.map(({ id }) => id)).toEqual(['new']);
    tell('model:state', moved('new', { activity: '', state: 'idle' }));
    expect(model.imports).toEqual([]);
  });

  it('hears of settings that another tab has changed', async () => {
    const { model, tell } = await opened(info('a'), info('b'));
    tell('settings:changed', settings({ air_gap: true, model: 'b' }));
    expect(model.settings?.settings.air_gap).toBe(true);
    expect(model.models.map(({ isForCode }) => isForCode)).toEqual([false, true]);
  });

  it('does not ask again for each completion', async () => {
    const { model, socket, answers, tell } = await opened(info('a', { state: 'ready' }));
    const ready = { ...STOPPED, state: 'ready', generation: 1, model: 'a' };
    tell('backend:state', ready);
    await answerAll(socket, answers);
    const before = asked(socket, 'model:list').length;
    let changes = 0;
    model.changed.connect(() => (changes += 1));
    for (let count = 0; count < 5; count++) {
      tell('backend:state', { ...ready, state: 'busy' });
      tell('backend:state', ready);
    }
    expect(asked(socket, 'model:list')).toHaveLength(before);
    expect(changes).toBe(0);
    tell('backend:state', { ...ready, state: 'failed' });
    expect(asked(socket, 'model:list')).toHaveLength(before + 1);
  });

  it('tells of two models in memory, and frees one of them', async () => {
    const { model, socket, answers, tell } = await opened(info('a'), info('b'));
    const one = {
      profile: '',
      reason: '',
      roles: [],
      context_window: 0,
      memory_bytes: 0,
      warning: null
    };
    const resident = [
      { ...one, model: 'a', state: 'ready' },
      { ...one, model: 'b', state: 'loading' }
    ];
    tell('backend:state', { ...STOPPED, state: 'busy', generation: 2, model: 'a', resident });
    expect(model.models.map(({ isLoading }) => isLoading)).toEqual([false, true]);
    await answerAll(socket, answers);
    const before = asked(socket, 'model:list').length;
    const both = resident.map(each => ({ ...each, state: 'ready' }));
    tell('backend:state', {
      ...STOPPED,
      state: 'ready',
      generation: 2,
      model: 'b',
      resident: both
    });
    expect(asked(socket, 'model:list')).toHaveLength(before + 1);
    await answerAll(socket, answers);
    // Each is used in turn, and nothing changes by that.
    tell('backend:state', {
      ...STOPPED,
      state: 'ready',
      generation: 2,
      model: 'a',
      resident: both
    });
    expect(asked(socket, 'model:list')).toHaveLength(before + 1);
    void model.unload('b');
    expect(asked(socket, 'model:unload').map(({ payload }) => payload)).toEqual([{ id: 'b' }]);
  });

  it('ignores late news of an older worker', async () => {
    const { model, tell } = await opened(info('a'));
    tell('backend:state', { ...STOPPED, state: 'ready', generation: 2, model: 'a' });
    tell('backend:state', { ...STOPPED, state: 'failed', generation: 1, model: 'a' });
    expect(model.backend?.state).toBe('ready');
  });

  it('asks for everything anew after the server has come back', async () => {
    const { channel, model, socket, tell } = await opened(info('a'));
    tell('model:state', moved('a', { received_bytes: 100 }));
    socket.drop();
    await settle();
    expect([model.settings, model.backend]).toEqual([null, null]);
    expect(model.models[0]?.progress).toBeNull();
    channel.connect();
    FakeWebSocket.last.open();
    await answerAll(FakeWebSocket.last, {
      'model:list': list(info('a', { received_bytes: 700 })),
      'settings:get': settings(),
      'backend:ping': STOPPED
    });
    expect(model.models[0]?.info.received_bytes).toBe(700);
    expect(model.models[0]?.progress).toMatchObject({ activity: '', receivedBytes: 700 });
  });

  it('is asked for once more, and not five times, when much happens at once', async () => {
    const { model, socket, answers } = await opened(info('a'));
    const before = asked(socket, 'model:list').length;
    for (let count = 0; count < 5; count++) {
      void model.refresh();
    }
    await answerAll(socket, answers);
    expect(asked(socket, 'model:list')).toHaveLength(before + 2);
  });
});

describe('what is asked for', () => {
  const refusal = (code: string, details = {}) => ({
    code,
    message: `It is ${code}.`,
    recovery: 'Do something.',
    details
  });

  it('carries the licence that was accepted', async () => {
    const { model, socket } = await opened(info('a'));
    void model.download('a', 'c0');
    expect(socket.request('model:ensure').payload).toEqual({
      id: 'a',
      allow_download: true,
      accept_license: 'c0',
      update: false
    });
  });

  it('makes the model busy until it is answered', async () => {
    const { model, socket } = await opened(info('a'));
    const load = model.load('a');
    expect(model.actionState.isBusy('a')).toBe(true);
    socket.answer('model:load', {});
    expect(await load).toBe(true);
    expect(model.actionState.isBusy('a')).toBe(false);
  });

  it('becomes a note at the model when it is refused', async () => {
    const { model, socket } = await opened(info('a'));
    const load = model.load('a');
    socket.refuse('model:load', refusal('OUT_OF_MEMORY', { refused: true }));
    expect(await load).toBe(false);
    expect(model.actionState.note('a')).toEqual({
      severity: 'error',
      message: 'It is OUT_OF_MEMORY.',
      recovery: 'Do something.',
      canForce: true
    });
    expect(model.spoken).toBe('It is OUT_OF_MEMORY. Do something.');
    void model.load('a', true);
    expect(model.actionState.note('a')).toBeUndefined();
    expect(socket.request('model:load').payload).toEqual({ id: 'a', force: true });
  });

  it('cannot be forced where it was tried and failed', async () => {
    const { model, socket } = await opened(info('a'));
    const load = model.load('a');
    socket.refuse('model:load', refusal('OUT_OF_MEMORY'));
    await load;
    expect(model.actionState.note('a')?.canForce).toBe(false);
    model.actionState.dismiss('a');
    expect(model.actionState.note('a')).toBeUndefined();
  });

  it('says nothing of what the person has stopped', async () => {
    const { model, socket } = await opened(info('a'));
    const work = model.import('/stick/x.gguf', null, false);
    socket.refuse('model:import', refusal('CANCELED'));
    await work;
    expect(model.actionState.note(GENERAL)).toBeUndefined();
  });

  it('ends with a note when the connection is lost', async () => {
    const { model, socket } = await opened(info('a'));
    const work = model.verify('a');
    socket.drop();
    expect(await work).toBe(false);
    expect(model.actionState.note('a')?.message).toMatch(/Cannot connect/);
  });

  it('says where an export was written', async () => {
    const { model, socket } = await opened(info('a'));
    const work = model.export('a', '/stick');
    socket.answer('model:export', { path: '/stick/a.localcoder', size_bytes: 5 });
    await work;
    expect(model.actionState.note('a')).toMatchObject({
      severity: 'info',
      message: 'Written to /stick/a.localcoder.'
    });
  });

  it('shows a setting as it was where a change is refused', async () => {
    const { model, socket } = await opened(info('a'));
    const work = model.change({ air_gap: true });
    expect(model.settings?.settings.air_gap).toBe(true);
    socket.refuse('settings:update', refusal('FILE_WRITE_ERROR'));
    expect(await work).toBe(false);
    expect(model.settings?.settings.air_gap).toBe(false);
    expect(model.actionState.note(GENERAL)?.message).toBe('It is FILE_WRITE_ERROR.');
  });

  it('takes the settings from the answer', async () => {
    const { model, socket } = await opened(info('a'));
    const work = model.change({ profile: 'Compact', model: null });
    socket.answer('settings:update', settings({ profile: 'Compact' }));
    await work;
    expect(model.settings?.settings.profile).toBe('Compact');
  });
});
