import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Frame } from '../../../src/contract';
import { Backoff } from '../../../src/shared/connection/backoff';
import { ChannelError } from '../../../src/shared/tokens';
import { FakeWebSocket, makeChannel, openChannel, settle } from '../../fakes';

const PROMPT = { prefix: 'import ' };

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('a request', () => {
  it('is answered under its id, whatever the order', async () => {
    const channel = openChannel();
    const first = channel.request('backend:ping', {});
    const second = channel.request('model:list', {});
    FakeWebSocket.last.answer('model:list', { models: [] });
    FakeWebSocket.last.answer('backend:ping', { state: 'ready' });
    expect(await first).toEqual({ state: 'ready' });
    expect(await second).toEqual({ models: [] });
  });

  it('that is refused rejects with the error of the contract', async () => {
    const channel = openChannel();
    const answer = channel.request('model:load', { id: 'x' });
    const error = { code: 'MODEL_NOT_FOUND', message: 'No.', recovery: 'List.', details: {} };
    FakeWebSocket.last.refuse('model:load', error);
    const reason: unknown = await answer.catch((reason: unknown) => reason);
    expect(reason).toBeInstanceOf(ChannelError);
    expect(reason).toMatchObject({ code: 'MODEL_NOT_FOUND', message: 'No.', payload: error });
  });

  it('waits for the first connection', async () => {
    const channel = makeChannel();
    channel.connect();
    const answer = channel.request('backend:ping', {});
    expect(FakeWebSocket.last.sent).toEqual([]);
    FakeWebSocket.last.open();
    FakeWebSocket.last.answer('backend:ping', { state: 'stopped' });
    expect(await answer).toEqual({ state: 'stopped' });
  });

  it('fails at once while the connection is away', async () => {
    const channel = openChannel();
    FakeWebSocket.last.drop();
    await expect(channel.request('backend:ping', {})).rejects.toMatchObject({
      code: 'CONNECTION_ERROR'
    });
  });

  it('fails when the connection is lost before the answer', async () => {
    const channel = openChannel();
    const answer = channel.request('backend:ping', {});
    FakeWebSocket.last.drop();
    await expect(answer).rejects.toMatchObject({ code: 'CONNECTION_ERROR' });
  });

  it('is not disturbed by messages that nobody understands', async () => {
    const channel = openChannel();
    const answer = channel.request('backend:ping', {});
    const socket = FakeWebSocket.last;
    for (const data of ['', '{', '[]', 'null', '{"id": 1}', '{"id": "77", "success": true}']) {
      socket.onmessage?.({ data });
    }
    socket.onmessage?.({ data: new ArrayBuffer(2) });
    socket.answer('backend:ping', { state: 'ready' });
    expect(await answer).toEqual({ state: 'ready' });
  });
});

describe('a stream', () => {
  function begin(op: 'generate' | 'tab:complete' = 'tab:complete') {
    const channel = openChannel();
    const frames: Frame[] = [];
    const onFrame = (frame: Frame): void => {
      frames.push(frame);
    };
    const stream =
      op === 'generate'
        ? channel.stream('generate', { command: 'explain' }, onFrame)
        : channel.stream('tab:complete', PROMPT, onFrame);
    const socket = FakeWebSocket.last;
    const id = socket.request(op).id;
    const started = (): void => {
      socket.answer(op, { type: 'started', run: 'r1' });
    };
    const frame = (payload: Record<string, unknown>): void => {
      const event = op === 'tab:complete' ? 'tab:stream' : payload.type;
      socket.receive({ id, event, payload: { run: 'r1', ...payload } });
    };
    return { channel, frames, stream, socket, started, frame };
  }

  it('delivers its frames in order, the last one also as `ended`', async () => {
    const { frames, stream, started, frame } = begin();
    started();
    frame({ type: 'delta', text: 'num' });
    frame({ type: 'delta', text: 'py' });
    frame({ type: 'done', text: 'numpy', finish: 'stop' });
    frame({ type: 'delta', text: 'too late' });
    expect(frames.map(one => one.type)).toEqual(['started', 'delta', 'delta', 'done']);
    expect(await stream.ended).toMatchObject({ type: 'done', text: 'numpy' });
  });

  it('of another operation comes under the type of its frames', async () => {
    const { stream, started, frame } = begin('generate');
    started();
    frame({ type: 'error', error: { code: 'TIMEOUT' } });
    expect(await stream.ended).toMatchObject({ type: 'error', error: { code: 'TIMEOUT' } });
  });

  it('that is refused ends with a failed frame', async () => {
    const { frames, stream, socket } = begin();
    socket.refuse('tab:complete', { code: 'DISABLED', message: '', recovery: '', details: {} });
    expect(await stream.ended).toMatchObject({ type: 'error', error: { code: 'DISABLED' } });
    expect(frames).toHaveLength(1);
  });

  it('ends with a failed frame when the connection is lost', async () => {
    const { stream, started, frame, socket } = begin();
    started();
    frame({ type: 'delta', text: 'num' });
    socket.drop();
    expect(await stream.ended).toMatchObject({
      type: 'error',
      run: 'r1',
      error: { code: 'CONNECTION_ERROR' }
    });
  });

  it('is cancelled by its run id, once, and goes quiet until its last frame', async () => {
    const { frames, stream, started, frame, socket } = begin();
    started();
    stream.cancel('input');
    stream.cancel('user');
    expect(socket.request('tab:cancel').payload).toEqual({ run: 'r1', reason: 'input' });
    expect(socket.sent).toHaveLength(2);
    frame({ type: 'delta', text: 'unwanted' });
    frame({ type: 'done', text: '', finish: 'canceled' });
    expect(frames.map(one => one.type)).toEqual(['started', 'done']);
    expect(await stream.ended).toMatchObject({ finish: 'canceled' });
  });

  it('of a command is cancelled as a request of the queue', () => {
    const { stream, started, socket } = begin('generate');
    started();
    stream.cancel();
    expect(socket.request('llm:cancel').payload).toEqual({ id: 'r1' });
  });

  it('can be cancelled before it has a run id', () => {
    const { stream, started, socket } = begin();
    stream.cancel('input');
    expect(socket.sent).toHaveLength(1);
    started();
    expect(socket.request('tab:cancel').payload).toEqual({ run: 'r1', reason: 'input' });
  });

  it('does not mind that it ended before the cancel arrived', async () => {
    const { stream, started, frame, socket } = begin();
    started();
    stream.cancel();
    frame({ type: 'done', text: 'numpy', finish: 'stop' });
    socket.refuse('tab:cancel', { code: 'NOT_FOUND', message: '', recovery: '', details: {} });
    await settle();
    expect(await stream.ended).toMatchObject({ type: 'done' });
    stream.cancel();
    expect(socket.sent).toHaveLength(2);
  });

  it('that was never sent is taken back', async () => {
    const channel = makeChannel();
    channel.connect();
    const stream = channel.stream('tab:complete', PROMPT, () => undefined);
    stream.cancel();
    expect(await stream.ended).toMatchObject({ type: 'error', error: { code: 'CANCELED' } });
    FakeWebSocket.last.open();
    expect(FakeWebSocket.last.sent).toEqual([]);
  });

  it('survives a listener that throws', async () => {
    const complaint = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const channel = openChannel();
    const stream = channel.stream('tab:complete', PROMPT, () => {
      throw new Error('a mistake');
    });
    FakeWebSocket.last.answer('tab:complete', { type: 'started', run: 'r1' });
    FakeWebSocket.last.drop();
    expect(await stream.ended).toMatchObject({ type: 'error' });
    expect(complaint).toHaveBeenCalled();
  });
});

describe('an event', () => {
  const STATE = { state: 'ready', generation: 1, reason: '', model: 'm', profile: 'auto' };

  it('is heard by all its listeners until they let go', () => {
    const channel = openChannel();
    const heard: string[] = [];
    const first = channel.on('backend:state', ({ state }) => heard.push(`first ${state}`));
    channel.on('backend:state', ({ state }) => heard.push(`second ${state}`));
    channel.on('notice', () => heard.push('notice'));
    FakeWebSocket.last.receive({ event: 'backend:state', payload: STATE });
    first.dispose();
    FakeWebSocket.last.receive({ event: 'backend:state', payload: STATE });
    expect(heard).toEqual(['first ready', 'second ready', 'second ready']);
  });

  it('reaches the others when one listener throws', () => {
    const complaint = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const channel = openChannel();
    const heard: string[] = [];
    channel.on('backend:state', () => {
      throw new Error('a mistake');
    });
    channel.on('backend:state', ({ state }) => heard.push(state));
    FakeWebSocket.last.receive({ event: 'backend:state', payload: STATE });
    expect(heard).toEqual(['ready']);
    expect(complaint).toHaveBeenCalledOnce();
  });
});

describe('the connection', () => {
  it('comes back by itself, after waits that grow', async () => {
    const channel = makeChannel({ backoff: new Backoff({ firstMs: 100, random: () => 1 }) });
    const states: string[] = [];
    channel.stateChanged.connect((_, state) => states.push(state));
    channel.connect();
    FakeWebSocket.last.open();
    FakeWebSocket.last.drop();
    expect(FakeWebSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(99);
    expect(FakeWebSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(FakeWebSocket.all).toHaveLength(2);
    FakeWebSocket.last.drop();
    await settle();
    vi.advanceTimersByTime(199);
    expect(FakeWebSocket.all).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(FakeWebSocket.all).toHaveLength(3);
    FakeWebSocket.last.open();
    expect(states).toEqual(['open', 'away', 'open']);
  });

  it('serves requests and events again after it came back', async () => {
    const channel = openChannel();
    const heard: string[] = [];
    channel.on('notice', ({ message }) => heard.push(message));
    FakeWebSocket.last.drop();
    channel.connect();
    FakeWebSocket.last.open();
    const answer = channel.request('backend:ping', {});
    FakeWebSocket.last.answer('backend:ping', { state: 'ready' });
    FakeWebSocket.last.receive({ event: 'notice', payload: { message: 'back' } });
    expect(await answer).toEqual({ state: 'ready' });
    expect(heard).toEqual(['back']);
  });

  it('is not opened twice', () => {
    const channel = openChannel();
    channel.connect();
    expect(FakeWebSocket.all).toHaveLength(1);
    FakeWebSocket.last.drop();
    channel.connect();
    channel.connect();
    vi.advanceTimersByTime(60_000);
    expect(FakeWebSocket.all).toHaveLength(2);
  });

  it('tells a server without the extension from one that is away, and rarely asks it', async () => {
    const channel = makeChannel({ isServed: () => Promise.resolve(false) });
    channel.connect();
    const waiting = channel.request('backend:ping', {});
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'CONNECTION_ERROR' });
    FakeWebSocket.last.drop();
    await settle();
    expect(channel.state).toBe('absent');
    await outcome;
    vi.advanceTimersByTime(200_000);
    expect(FakeWebSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(200_000);
    expect(FakeWebSocket.all).toHaveLength(2);
  });

  it('takes a question that fails as a server that is away', async () => {
    const channel = makeChannel({ isServed: () => Promise.reject(new Error('no network')) });
    channel.connect();
    FakeWebSocket.last.drop();
    await settle();
    expect(channel.state).toBe('away');
  });

  it('ends with the channel, and stays closed', async () => {
    const channel = openChannel();
    const answer = channel.request('backend:ping', {});
    channel.dispose();
    channel.dispose();
    await expect(answer).rejects.toMatchObject({ code: 'CONNECTION_ERROR' });
    expect(FakeWebSocket.last.isClosed).toBe(true);
    channel.connect();
    vi.advanceTimersByTime(600_000);
    expect(FakeWebSocket.all).toHaveLength(1);
    await expect(channel.request('backend:ping', {})).rejects.toBeInstanceOf(ChannelError);
  });
});

describe('the wait', () => {
  it('doubles up to its limit, with a random part, and starts over', () => {
    const backoff = new Backoff({ firstMs: 100, limitMs: 300, random: () => 0 });
    expect([backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([
      50, 100, 150, 150
    ]);
    backoff.reset();
    expect(backoff.next()).toBe(50);
  });
});

describe('a server that does not respond', () => {
  const BEAT_MS = 10_000;

  function quiet() {
    const channel = openChannel();
    const told: boolean[] = [];
    channel.silenceChanged.connect((_, isSilent) => told.push(isSilent));
    return { channel, told, socket: FakeWebSocket.last };
  }

  it('is asked for a sign of life where nothing has come, and said to be silent without one', async () => {
    const { channel, told, socket } = quiet();
    const answer = channel.request('model:list', {});
    vi.advanceTimersByTime(2 * BEAT_MS);
    expect(socket.sent.map(({ op }) => op)).toEqual(['model:list', 'backend:ping']);
    expect(channel.isSilent).toBe(false);
    vi.advanceTimersByTime(BEAT_MS);
    expect([channel.isSilent, channel.state, told]).toEqual([true, 'open', [true]]);
    // Nothing is lost: it was stopped, and goes on.
    socket.answer('model:list', { models: [] });
    expect(await answer).toEqual({ models: [] });
    expect([channel.isSilent, told]).toEqual([false, [true, false]]);
  });

  it('is left alone while anything comes from it', () => {
    const { channel, told, socket } = quiet();
    for (let beat = 0; beat < 30; beat++) {
      vi.advanceTimersByTime(BEAT_MS - 1);
      socket.receive({ event: 'backend:state', payload: {} });
    }
    expect(socket.sent).toEqual([]);
    for (let asked = 0; asked < 15; asked++) {
      vi.advanceTimersByTime(2 * BEAT_MS);
      expect(socket.sent).toHaveLength(asked + 1);
      socket.answer('backend:ping', {});
    }
    expect([channel.isSilent, channel.state, told]).toEqual([false, 'open', []]);
  });

  it('is dialled anew after two minutes, over a connection that may be better', async () => {
    const { channel, told, socket } = quiet();
    const answer = channel.request('model:list', {});
    const failed = expect(answer).rejects.toMatchObject({ code: 'CONNECTION_ERROR' });
    vi.advanceTimersByTime(13 * BEAT_MS);
    await failed;
    expect([socket.isClosed, channel.state, channel.isSilent]).toEqual([true, 'away', false]);
    expect(told).toEqual([true, false]);
    socket.receive({ event: 'backend:state', payload: {} });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeWebSocket.all).toHaveLength(2);
    FakeWebSocket.last.open();
    expect(channel.state).toBe('open');
  });

  it('is asked nothing without a connection', () => {
    const { channel, told, socket } = quiet();
    channel.dispose();
    vi.advanceTimersByTime(30 * BEAT_MS);
    expect([socket.sent, told]).toEqual([[], []]);
  });
});
