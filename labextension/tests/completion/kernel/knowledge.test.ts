import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  type ISession,
  LIMIT_MS,
  SessionKnowledge
} from '../../../src/completion/kernel/knowledge';
import type { Probe } from '../../../src/contract';
import { settle } from '../../fakes';

const PROBE: Probe = { code: 'import this', expression: 'told()' };

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A kernel whose answers are the test's, and the session around it. */
class FakeSession {
  readonly kernelChanged = new Signal<this, unknown>(this);
  readonly statusChanged = new Signal<this, string>(this);
  readonly connectionStatusChanged = new Signal<this, string>(this);
  readonly iopubMessage = new Signal<this, unknown>(this);
  readonly requests: { content: Record<string, unknown>; reply: (reply: unknown) => void }[] = [];
  readonly kernel = {
    status: 'idle',
    connectionStatus: 'connected',
    spec: Promise.resolve({ language: 'Python' }),
    requestExecute: (content: Record<string, unknown>) => {
      let reply: (reply: unknown) => void = () => undefined;
      const done = new Promise(resolve => (reply = resolve));
      this.requests.push({ content, reply });
      return { done };
    }
  };
  readonly session = { kernel: this.kernel };

  become(status: string): void {
    this.kernel.status = status;
    this.statusChanged.emit(status);
  }

  /** Somebody runs something. */
  async run(count = 1): Promise<void> {
    this.become('busy');
    this.iopubMessage.emit({
      header: { msg_type: 'execute_input' },
      content: { execution_count: count }
    });
    await vi.advanceTimersByTimeAsync(50);
    this.become('idle');
  }

  answer(names: string[], count = 1): void {
    const printed = `'${btoa(JSON.stringify(names.map(name => ({ name }))))}'`;
    this.requests.at(-1)?.reply({
      content: {
        status: 'ok',
        execution_count: count,
        user_expressions: { localcoder: { status: 'ok', data: { 'text/plain': printed } } }
      }
    });
  }
}

function begin(probe: Probe | null = PROBE) {
  const session = new FakeSession();
  const wanted = { is: true };
  const asked: string[] = [];
  const knowledge = new SessionKnowledge(
    session as unknown as ISession,
    language => {
      asked.push(language);
      return Promise.resolve(probe);
    },
    () => wanted.is,
    () => Date.now()
  );
  let settled = 0;
  knowledge.settled.connect(() => settled++);
  const names = () => knowledge.variables.map(({ name }) => name);
  const after = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
  return { session, knowledge, wanted, asked, names, after, settled: () => settled };
}

describe('what a kernel knows', () => {
  it('is asked for silently when it is there, and after each run', async () => {
    const { session, asked, names, after, settled, knowledge } = begin();
    await after(150);
    expect(asked).toEqual(['python']);
    expect(session.requests[0]?.content).toEqual({
      code: 'import this',
      silent: true,
      store_history: false,
      user_expressions: { localcoder: 'told()' },
      allow_stdin: false,
      stop_on_error: false
    });
    session.answer(['df'], 3);
    await settle();
    expect(names()).toEqual(['df']);
    expect(knowledge.count).toBe(3);
    expect(settled()).toBe(1);
    await session.run();
    await after(150);
    session.answer(['model', 'df'], 4);
    await settle();
    expect(names()).toEqual(['model', 'df']);
    expect(settled()).toBe(2);
  });

  it('is not asked for again by the busy and idle of our own request', async () => {
    const { session, after } = begin();
    await after(150);
    session.become('busy');
    session.answer([]);
    session.become('idle');
    await after(5000);
    expect(session.requests).toHaveLength(1);
  });

  it('is never asked of a busy kernel, nor between the cells of one run', async () => {
    const { session, after } = begin();
    session.become('busy');
    session.iopubMessage.emit({ header: { msg_type: 'execute_input' }, content: {} });
    await after(60_000);
    expect(session.requests).toHaveLength(0);
    for (let cell = 0; cell < 5; cell++) {
      session.become('idle');
      await after(20);
      await session.run();
    }
    expect(session.requests).toHaveLength(0);
    await after(150);
    expect(session.requests).toHaveLength(1);
  });

  it('is not asked for where the connection is not there yet', async () => {
    const { session, after } = begin();
    session.kernel.connectionStatus = 'connecting';
    await after(1000);
    expect(session.requests).toHaveLength(0);
    session.kernel.connectionStatus = 'connected';
    session.connectionStatusChanged.emit('connected');
    await after(150);
    expect(session.requests).toHaveLength(1);
  });

  it('is waited for a short time only, and then asked for less often', async () => {
    const { session, names, after, settled } = begin();
    await after(100);
    expect(settled()).toBe(0);
    await after(LIMIT_MS);
    expect(settled()).toBe(1);
    await after(300);
    session.answer(['late']);
    await settle();
    expect(names()).toEqual(['late']);
    // It took 500 ms, 300 too many: it is left alone for twenty times that.
    await session.run();
    await after(5500);
    expect(session.requests).toHaveLength(1);
    await after(1000);
    expect(session.requests).toHaveLength(2);
  });

  it('is not believed when something has run since', async () => {
    const { session, names, after } = begin();
    await after(150);
    await session.run();
    session.answer(['old']);
    await settle();
    expect(names()).toEqual([]);
  });

  it('is forgotten when the kernel starts again', async () => {
    const { session, knowledge, names, after } = begin();
    await after(150);
    session.answer(['df'], 3);
    await settle();
    session.become('restarting');
    expect(names()).toEqual([]);
    expect(knowledge.count).toBe(0);
    session.become('idle');
    await after(150);
    expect(session.requests).toHaveLength(2);
  });

  it('is not asked for, nor told, where it is not wanted', async () => {
    const { session, wanted, names, after } = begin();
    await after(150);
    session.answer(['df']);
    await settle();
    wanted.is = false;
    expect(names()).toEqual([]);
    await session.run();
    await after(1000);
    expect(session.requests).toHaveLength(1);
  });

  it('is asked for as soon as it is wanted, once', async () => {
    const { session, knowledge, wanted, names, after } = begin();
    wanted.is = false;
    await session.run();
    await after(1000);
    knowledge.wake();
    await after(1000);
    expect(session.requests).toHaveLength(0);
    wanted.is = true;
    knowledge.wake();
    await after(150);
    expect(session.requests).toHaveLength(1);
    session.answer(['df']);
    await settle();
    expect(names()).toEqual(['df']);
    knowledge.wake();
    await after(1000);
    expect(session.requests).toHaveLength(1);
  });

  it('has the count of a kernel that is not asked, too', async () => {
    const { session, knowledge, after } = begin(null);
    await after(150);
    session.become('restarting');
    expect(knowledge.count).toBe(0);
    await session.run(1);
    expect(knowledge.count).toBe(1);
    await session.run(2);
    expect(knowledge.count).toBe(2);
  });

  it('is nothing in a language that cannot be asked', async () => {
    const { session, names, after, settled } = begin(null);
    await after(150);
    await session.run();
    await after(150);
    expect(session.requests).toHaveLength(0);
    expect(names()).toEqual([]);
    expect(settled()).toBe(2);
  });

  it('is left alone at the end', async () => {
    const { session, knowledge, after } = begin();
    knowledge.dispose();
    await session.run();
    await after(1000);
    expect(session.requests).toHaveLength(0);
  });
});
