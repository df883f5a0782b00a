import { describe, expect, it, vi } from 'vitest';

import type {
  BackendStatus,
  ProviderInfo,
  ProviderList,
  ResidentModel,
  SettingsView,
  SuggestionStats,
  WorkerState
} from '../../src/contract';
import { Answerers, type IAnswerer } from '../../src/status/answerers';
import { type IWorkerView, StatusModel } from '../../src/status/model';
import { detailRows } from '../../src/status/rows';
import { suggestionRows } from '../../src/status/suggestions';
import { type IStatusText, statusText } from '../../src/status/text';
import { FakeWebSocket, makeChannel, openChannel, settle, trans } from '../fakes';

const NAME = 'Qwen2.5 Coder 0.5B';

const STATUS: BackendStatus = {
  version: '0.1.0',
  state: 'ready',
  generation: 2,
  reason: 'The model is loaded.',
  model: 'qwen',
  profile: 'light',
  uptime_seconds: 10,
  queue_length: 1,
  speeds: {
    prefill_tokens_per_second: 1234.56,
    decode_tokens_per_second: 40.04,
    first_token_ms: 81.2,
    first_token_p90_ms: 120,
    requests: 12
  },
  memory: {
    worker_bytes: 1.5 * 2 ** 30,
    server_bytes: 2 ** 28,
    available_bytes: 3 * 2 ** 30,
    total_bytes: 8 * 2 ** 30,
    kernels: 0,
    kernels_bytes: 0,
    given_back_bytes: 0
  },
  air_gap: true,
  acceleration: 'cpu',
  context_window: 4096,
  calibration: null,
  resident: [],
  residency: '',
  engine_error: null,
  policy: null
};

const RESIDENT: ResidentModel = {
  model: 'qwen',
  profile: 'auto',
  state: 'ready',
  reason: '',
  roles: ['code'],
  context_window: 4096,
  memory_bytes: 0,
  warning: null
};
const LLAMA: ResidentModel = { ...RESIDENT, model: 'llama', state: 'busy', roles: ['general'] };

function worker(state: WorkerState, modelName: string | null = NAME): IWorkerView {
  const model = modelName && 'qwen';
  return {
    state,
    model,
    modelName,
    generation: 1,
    reason: 'Because.',
    profile: 'auto',
    resident: [],
    residency: '',
    several: []
  };
}

describe('the text', () => {
  it.each([
    ['stopped', 'Local: stopped · ' + NAME],
    ['starting', 'Local: starting · ' + NAME],
    ['loading', 'Local: loading · ' + NAME],
    ['ready', 'Local: ready · ' + NAME],
    ['busy', 'Local: working · ' + NAME],
    ['unloading', 'Local: unloading · ' + NAME],
    ['backoff', 'Local: restarting · ' + NAME],
    ['failed', 'Local: failed · ' + NAME]
  ] as const)('of a worker that is %s', (state, label) => {
    expect(statusText('open', worker(state), trans)).toMatchObject({ label, sentence: 'Because.' });
  });

  it('without a model', () => {
    expect(statusText('open', worker('stopped', null), trans).label).toBe('Local: no model loaded');
    expect(statusText('open', worker('starting', null), trans).label).toBe('Local: starting');
  });

  it.each([
    [['ready', 'ready'], 'Local: ready · One, Other', false],
    [['busy', 'ready'], 'Local: working · One, ready · Other', true],
    [['ready', 'loading'], 'Local: ready · One, loading · Other', true],
    [['ready', 'failed'], 'Local: ready · One, failed · Other', false]
  ] as const)('of two that are %s', ([one, other], label, isWorking) => {
    const both = {
      ...worker(other, 'Other'),
      several: [
        { name: 'One', state: one, reason: 'One is here.' },
        { name: 'Other', state: other, reason: 'So is the other.' }
      ]
    };
    const text = statusText('open', both, trans);
    expect(text).toMatchObject({ label, isWorking, sentence: 'One is here. So is the other.' });
  });

  it('says aloud nothing new when one of two gets busy', () => {
    const both = (state: WorkerState): IWorkerView => ({
      ...worker(state, 'One'),
      several: [
        { name: 'One', state, reason: '' },
        { name: 'Other', state: 'ready', reason: '' }
      ]
    });
    expect(statusText('open', both('busy'), trans).spoken).toBe('Local: ready · One, Other');
  });

  it('says why two models take turns', () => {
    const turns = { ...worker('ready'), residency: 'They take turns.' };
    expect(statusText('open', turns, trans).sentence).toBe('Because. They take turns.');
  });

  it('says aloud nothing new when the worker gets busy', () => {
    const ready = statusText('open', worker('ready'), trans);
    expect(statusText('open', worker('busy'), trans).spoken).toBe(ready.spoken);
  });

  it.each(['away', 'absent'] as const)('is calm when the channel is %s', channel => {
    const text = statusText(channel, null, trans);
    expect(text.label).toBe('LocalCoder: not connected');
    expect(text.sentence).toMatch(/server/);
  });

  it('says that it is connecting, and says it to nobody aloud', () => {
    expect(statusText('connecting', null, trans)).toMatchObject({
      label: 'LocalCoder: connecting',
      spoken: ''
    });
    expect(statusText('open', null, trans).label).toBe('LocalCoder: connecting');
  });
});

describe('the text with other providers', () => {
  const named = (name: string | null): IAnswerer | null =>
    name === null ? null : { name, model: 'm-1' };
  const text = (
    questions: string | null,
    completion: string | null,
    state: WorkerState = 'ready'
  ): IStatusText =>
    statusText('open', worker(state), trans, null, {
      questions: named(questions),
      completion: named(completion)
    });

  it('names what answers, and not the model that stands by', () => {
    const { label, sentence, isWorking } = text('Acme', 'Acme', 'loading');
    expect(label).toBe('Acme · m-1');
    expect(sentence).toBe(
      'Acme · m-1 answers commands and chats. Acme · m-1 completes while you type.'
    );
    expect(isWorking).toBe(false);
  });

  it('names both where another one completes', () => {
    const local = 'Local: ready · ' + NAME;
    expect(text('Acme', null).label).toBe(`Questions: Acme · Completion: ${local}`);
    expect(text('Acme', null).sentence).toBe('Acme · m-1 answers commands and chats. Because.');
    expect(text(null, 'Lab').label).toBe(`Questions: ${local} · Completion: Lab`);
    expect(text('Acme', 'Lab').spoken).toBe('Questions: Acme · Completion: Lab');
    expect(text('Acme', null, 'busy').spoken).toBe(text('Acme', null).spoken);
  });
});

describe('active provider', () => {
  const ACME = { name: 'Acme', model: 'm-1' };
  const list = (active: string): ProviderList => ({
    providers: [
      { id: 'embedded', name: 'Embedded', model: '' },
      { id: 'acme', name: 'Acme', model: 'm-1' }
    ] as ProviderInfo[],
    kinds: [],
    active,
    key_storage: { place: 'session', note: '' },
    path: '',
    prices_path: '',
    problem: '',
    locked: false
  });
  const settings = (completion_provider: string): SettingsView =>
    ({ settings: { completion_provider }, sources: {}, path: '' }) as unknown as SettingsView;

  it('is asked when the connection is there, and told when it changes', async () => {
    const answerers = new Answerers(openChannel());
    const socket = FakeWebSocket.last;
    expect(answerers.current).toEqual({ questions: null, completion: null });
    socket.answer('provider:list', list('acme'));
    socket.answer('settings:get', settings('embedded'));
    await settle();
    expect(answerers.current).toEqual({ questions: ACME, completion: null });
    let told = 0;
    answerers.changed.connect(() => told++);
    socket.receive({ event: 'settings:changed', payload: settings('acme') });
    socket.receive({ event: 'providers:changed', payload: list('embedded') });
    expect(told).toBe(2);
    expect(answerers.current).toEqual({ questions: null, completion: ACME });
  });

  it('keeps what was told while it asked', async () => {
    const answerers = new Answerers(openChannel());
    const socket = FakeWebSocket.last;
    socket.receive({ event: 'providers:changed', payload: list('acme') });
    socket.answer('provider:list', list('embedded'));
    socket.answer('settings:get', settings('embedded'));
    await settle();
    expect(answerers.current.questions).toEqual(ACME);
  });
});

describe('the details', () => {
  it('say that a GPU is asked for and not used', () => {
    const warning = {
      code: 'GPU_NOT_USED' as const,
      message: 'It runs on the processor.',
      action: 'Install another build.'
    };
    const status = { ...STATUS, resident: [{ ...RESIDENT, warning }, LLAMA] };
    const notes = detailRows(status, NAME, trans, 'en').filter(({ name }) => name === 'Note');
    expect(notes).toEqual([
      { name: 'Note', value: 'It runs on the processor. Install another build.' }
    ]);
  });

  it('are named values with units', () => {
    const rows = Object.fromEntries(
      detailRows(STATUS, NAME, trans, 'en').map(({ name, value }) => [name, value])
    );
    expect(rows).toEqual({
      State: 'ready',
      Model: NAME,
      Profile: 'light',
      'Runs on': 'cpu',
      'Context window': '4,096 tokens',
      'Requests waiting or running': '1',
      'Reading speed': '1,234.6 tokens per second',
      'Writing speed': '40 tokens per second',
      'Time to the first token': '81 ms (90th percentile: 120 ms)',
      'Requests measured': '12',
      'Memory used by the model': '1.61 GB',
      'Memory used by the Jupyter server': '268 MB',
      'Available memory': '3.22 GB of 8.59 GB',
      'Air gap': 'on: connections to other machines are blocked',
      Version: '0.1.0'
    });
  });

  it('leave out what was not measured', () => {
    const speeds = {
      prefill_tokens_per_second: 0,
      decode_tokens_per_second: 0,
      first_token_ms: 0,
      first_token_p90_ms: 0,
      requests: 0
    };
    const memory = {
      ...STATUS.memory,
      worker_bytes: 0,
      server_bytes: 0,
      available_bytes: 0,
      total_bytes: 0
    };
    const idle = { ...STATUS, speeds, memory, acceleration: '', context_window: 0 };
    const names = detailRows(idle, null, trans, 'en').map(({ name }) => name);
    expect(names).toEqual([
      'State',
      'Model',
      'Profile',
      'Requests waiting or running',
      'Air gap',
      'Version'
    ]);
  });
});

describe('the model', () => {
  const names = { models: [{ id: 'qwen', name: NAME }] };
  const moved = (state: WorkerState, generation: number, model: string | null = 'qwen') => ({
    event: 'backend:state',
    payload: { state, generation, reason: '', model, profile: 'auto', resident: [], residency: '' }
  });

  async function opened() {
    const channel = openChannel();
    const model = new StatusModel(channel);
    const socket = FakeWebSocket.last;
    socket.answer('backend:ping', STATUS);
    await settle();
    return { channel, model, socket };
  }

  it('asks for the state as soon as there is a connection', async () => {
    const channel = makeChannel();
    const model = new StatusModel(channel);
    expect(model.worker).toBeNull();
    channel.connect();
    FakeWebSocket.last.open();
    FakeWebSocket.last.answer('backend:ping', STATUS);
    await settle();
    expect(model.worker?.state).toBe('ready');
    expect(model.details).toEqual(STATUS);
  });

  it('keeps a state that came after the response to a ping was made', async () => {
    const { model, socket } = await opened();
    const refreshed = model.refresh();
    socket.receive(moved('ready', 3));
    const late = { ...STATUS, state: 'loading', generation: 3 };
    const ping = socket.sent.filter(({ op }) => op === 'backend:ping').at(-1);
    socket.receive({ id: ping?.id, success: true, data: late });
    await refreshed;
    expect(model.worker?.state).toBe('ready');
    expect(model.details).toEqual(late);
  });

  it('learns the name of a model that it does not know, once', async () => {
    const { model, socket } = await opened();
    expect(model.worker?.modelName).toBe('qwen');
    socket.answer('model:list', names);
    await settle();
    expect(model.worker?.modelName).toBe(NAME);
    socket.receive(moved('busy', 2));
    socket.receive(moved('ready', 2));
    expect(socket.sent.filter(({ op }) => op === 'model:list')).toHaveLength(1);
  });

  it('names all that are in memory', async () => {
    const { model, socket } = await opened();
    socket.receive({
      event: 'backend:state',
      payload: { ...moved('busy', 3, 'llama').payload, resident: [RESIDENT, LLAMA] }
    });
    const ids = (): string[] => (model.worker?.several ?? []).map(({ name }) => name);
    expect(ids()).toEqual(['qwen', 'llama']);
    for (const { id } of socket.sent.filter(({ op }) => op === 'model:list')) {
      const both = [...names.models, { id: 'llama', name: 'Llama' }];
      socket.receive({ id, success: true, data: { models: both } });
    }
    await settle();
    expect(ids()).toEqual([NAME, 'Llama']);
  });

  it('keeps the id when the names cannot be had', async () => {
    const { model, socket } = await opened();
    socket.refuse('model:list', { code: 'AUTH_ERROR', message: '', recovery: '', details: {} });
    await settle();
    expect(model.worker?.modelName).toBe('qwen');
  });

  it('follows the events, and tells so', async () => {
    const { model, socket } = await opened();
    const states: (string | undefined)[] = [];
    model.changed.connect(() => states.push(model.worker?.state));
    socket.receive(moved('backoff', 2));
    socket.receive(moved('starting', 3));
    socket.receive(moved('ready', 3));
    expect(states).toEqual(['backoff', 'starting', 'ready']);
  });

  it('ignores late news of an older worker', async () => {
    const { model, socket } = await opened();
    socket.receive(moved('failed', 1));
    expect(model.worker?.state).toBe('ready');
  });

  it('knows nothing when the connection is lost, and starts over with the next server', async () => {
    const { channel, model, socket } = await opened();
    socket.drop();
    expect(model.worker).toBeNull();
    expect(model.details).toBeNull();
    channel.connect();
    FakeWebSocket.last.open();
    FakeWebSocket.last.answer('backend:ping', { ...STATUS, generation: 0, state: 'stopped' });
    await settle();
    expect(model.worker?.state).toBe('stopped');
  });

  it('tries to connect when it is asked to refresh without a connection', async () => {
    const { model, socket } = await opened();
    socket.drop();
    await model.refresh();
    expect(FakeWebSocket.all).toHaveLength(2);
  });

  it('says that the server does not respond, and what it knows when it does again', async () => {
    vi.useFakeTimers();
    const { model, socket } = await opened();
    socket.answer('model:list', names);
    await settle();
    let told = 0;
    model.changed.connect(() => {
      told++;
    });
    vi.advanceTimersByTime(30_000);
    expect([model.connection, told]).toEqual(['silent', 1]);
    expect(statusText(model.connection, model.worker, trans)).toMatchObject({
      label: 'LocalCoder: no response',
      spoken: 'LocalCoder: no response',
      isWorking: false
    });
    socket.receive(moved('busy', 4));
    expect(model.connection).toBe('open');
    expect(statusText(model.connection, model.worker, trans).label).toBe(
      `Local: working · ${NAME}`
    );
    vi.useRealTimers();
  });

  it('lets go of the channel', async () => {
    const { model, socket } = await opened();
    model.dispose();
    socket.receive(moved('failed', 9));
    socket.drop();
    expect(model.worker?.state).toBe('ready');
  });
});

describe('the counts of suggestions', () => {
  const counts = {
    model: 'coder',
    language: 'python',
    shown: 1200,
    accepted: 300,
    accepted_line: 20,
    accepted_word: 1,
    dismissed: 40,
    kept: 310
  };
  const stats: SuggestionStats = {
    enabled: true,
    since: '2026-01-01T00:00:00+00:00',
    counts: [counts],
    total: { ...counts, model: '', language: '' },
    recent_shown: 50,
    recent_accepted: 13,
    min_probability: 0.497
  };

  it('are told in sum and by model and language', () => {
    const text =
      '1,200 shown, 321 accepted (300 whole, 20 by line, 1 by word), 40 dismissed, 310 kept for a minute';
    expect(suggestionRows(stats, trans, 'en')).toEqual([
      { name: 'Suggestions', value: text },
      { name: 'coder · python', value: text },
      { name: 'Suggestions end below a probability of', value: '0.5' }
    ]);
  });

  it('say that nothing is counted', () => {
    const off = { ...stats, enabled: false, counts: [] };
    expect(suggestionRows(off, trans, 'en')).toEqual([
      { name: 'Suggestions', value: 'not counted' }
    ]);
  });
});
