import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { DEFAULTS, type ICompletionOptions } from '../../../src/completion/options';
import { Asker, type CompletionCause, type IAsk } from '../../../src/completion/requests/asker';
import { Power } from '../../../src/completion/requests/power';
import { RequestGate, type Trouble } from '../../../src/completion/requests/requestGate';
import type { Suggestion } from '../../../src/completion/requests/suggestion';
import { FakeWebSocket, makeChannel, openChannel, settle } from '../../fakes';

const EDITOR = {};

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function begin(options: Partial<ICompletionOptions> = {}, isOnBattery = () => false) {
  const channel = openChannel();
  const socket = FakeWebSocket.last;
  const troubles: Trouble[] = [];
  const gate = new RequestGate(channel, trouble => troubles.push(trouble));
  const all = { ...DEFAULTS, lookAhead: false, ...options };
  const asker = new Asker({ channel, gate, options: () => all, isOnBattery });
  let live = '';
  /** What the person has on the screen now, and a question about it. */
  const ask = (
    prefix: string,
    {
      cause = 'typing',
      suffix = '',
      editor = EDITOR
    }: { cause?: CompletionCause; suffix?: string; editor?: object } = {}
  ) => {
    live = prefix;
    const asked: IAsk = {
      cause,
      anchor: { editor, prefix, suffix },
      isLive: () => live === prefix,
      request: () => ({ prefix, suffix, language: 'python' })
    };
    return asker.ask(asked);
  };
  const asked = () => socket.sent.filter(({ op }) => op === 'tab:complete');
  const canceled = () =>
    socket.sent.filter(({ op }) => op === 'tab:cancel').map(({ payload }) => payload);
  /** Frames to the nth request. */
  const answer = (index: number, ...frames: Record<string, unknown>[]) => {
    const request = asked()[index];
    if (!request) {
      throw new Error(`no request ${index}`);
    }
    const run = `r${index}`;
    socket.receive({ id: request.id, success: true, data: { type: 'started', run } });
    for (const frame of frames) {
      socket.receive({
        id: request.id,
        event: 'tab:stream',
        payload: { run, model: { id: 'coder' }, ...frame }
      });
    }
  };
  const moved = () => {
    live = '';
  };
  return { channel, socket, asker, ask, asked, canceled, answer, moved, troubles };
}

const delta = (text: string) => ({ type: 'delta', text });
const done = (text: string, withheld = '') => ({ type: 'done', text, finish: 'stop', withheld });
const error = (code: string, details = {}) => ({
  type: 'error',
  error: { code, message: 'Because.', recovery: 'Do so.', details }
});

function texts(suggestions: Suggestion[], prefix: string, suffix = ''): (string | null)[] {
  return suggestions.map(one => one.remainder({ editor: EDITOR, prefix, suffix }));
}

describe('a question', () => {
  it('is answered as soon as there is text, which then grows', async () => {
    const { ask, answer, asked, asker } = begin();
    const answered = ask('import ');
    await settle();
    expect(asked()[0]?.payload).toEqual({
      prefix: 'import ',
      suffix: '',
      language: 'python',
      multiline: false,
      automatic: true
    });
    expect(asker.running).toBe(1);
    answer(0, delta('numpy'));
    const suggestions = await answered;
    expect(texts(suggestions, 'import ')).toEqual(['numpy']);
    expect(suggestions[0]?.isOver).toBe(false);
    answer(0, delta(' as np'), done('numpy as np'));
    await settle();
    expect(texts(suggestions, 'import ')).toEqual(['numpy as np']);
    expect(asker.running).toBe(0);
  });

  it('by hand is asked again where what came by itself was withheld', async () => {
    const { ask, asked, answer } = begin();
    const byItself = ask('x = ');
    await settle();
    answer(0, done('', 'confidence'));
    expect(await byItself).toEqual([]);
    const byHand = ask('x = ', { cause: 'demand' });
    await settle();
    expect(asked().map(({ payload }) => payload.automatic)).toEqual([true, false]);
    answer(1, done('1'));
    expect(texts(await byHand, 'x = ')).toEqual(['1']);
  });

  it('has no answer where the server withholds it', async () => {
    const { ask, answer } = begin();
    const answered = ask('x = ');
    await settle();
    answer(0, done('', 'confidence'));
    expect(await answered).toEqual([]);
  });

  it('is believed at the end, whatever came before', async () => {
    const { ask, answer } = begin();
    const answered = ask('x = ');
    await settle();
    answer(0, delta('1\n'));
    const suggestions = await answered;
    answer(0, delta('2\n'), done('1'));
    expect(texts(suggestions, 'x = ')).toEqual(['1']);
  });

  it('is not sent while the person types', async () => {
    const { ask, asked } = begin({ typingDelayMs: 100 });
    const first = ask('im');
    await vi.advanceTimersByTimeAsync(50);
    const second = ask('imp');
    await vi.advanceTimersByTimeAsync(99);
    expect(await first).toEqual([]);
    expect(asked()).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked().map(({ payload }) => payload.prefix)).toEqual(['imp']);
    void second;
  });

  it('on demand is sent at once', async () => {
    const { ask, asked } = begin({ typingDelayMs: 100 });
    void ask('im', { cause: 'demand' });
    await settle();
    expect(asked()).toHaveLength(1);
  });

  it('that is out of date when it would be sent is not sent', async () => {
    const { ask, asked, moved } = begin({ typingDelayMs: 100 });
    const answered = ask('im');
    moved();
    await vi.advanceTimersByTimeAsync(200);
    expect(await answered).toEqual([]);
    expect(asked()).toHaveLength(0);
  });

  it('whose answer comes too late is not answered', async () => {
    const { ask, answer, moved } = begin();
    const answered = ask('im');
    await settle();
    moved();
    answer(0, delta('port'));
    expect(await answered).toEqual([]);
  });
});

describe('typing', () => {
  it('ahead of a request without an answer waits for the answer', async () => {
    const { ask, answer, canceled, asked } = begin();
    const first = ask('im');
    await settle();
    answer(0);
    const second = ask('imp');
    expect(canceled()).toEqual([]);
    answer(0, delta('port'));
    expect(await first).toEqual([]);
    expect(texts(await second, 'imp')).toEqual(['ort']);
    expect(asked()).toHaveLength(1);
  });

  it('something else than the answer ends the request on the server and asks again', async () => {
    const { ask, answer, canceled, asked } = begin();
    const first = ask('im');
    await settle();
    const second = ask('ima');
    answer(0, delta('port'));
    await settle();
    expect(canceled()).toEqual([{ run: 'r0', reason: 'input' }]);
    expect(await first).toEqual([]);
    answer(1, delta('ge'));
    expect(texts(await second, 'ima')).toEqual(['ge']);
    expect(asked()).toHaveLength(2);
  });

  it('a line break ends a request without an answer', async () => {
    const { ask, answer, canceled, asked } = begin();
    const first = ask('x = 1');
    await settle();
    answer(0);
    const second = ask('x = 1\n', { cause: 'new-line' });
    expect(canceled()).toEqual([{ run: 'r0', reason: 'input' }]);
    expect(await first).toEqual([]);
    await settle();
    answer(1, delta('y = 2'));
    expect(texts(await second, 'x = 1\n')).toEqual(['y = 2']);
    expect(asked()).toHaveLength(2);
  });

  it('what the suggestion says asks nothing', async () => {
    const { ask, answer, asked } = begin();
    const first = ask('im');
    await settle();
    answer(0, delta('port numpy'), done('port numpy'));
    await first;
    expect(texts(await ask('imp'), 'imp')).toEqual(['ort numpy']);
    expect(texts(await ask('import n'), 'import n')).toEqual(['umpy']);
    expect(asked()).toHaveLength(1);
  });

  it('ahead of a suggestion that still comes keeps it', async () => {
    const { ask, answer, asked, canceled } = begin();
    const first = ask('im');
    await settle();
    answer(0, delta('po'));
    await first;
    const second = ask('impor');
    await settle();
    answer(0, delta('rt os'));
    expect(texts(await second, 'impor')).toEqual(['t os']);
    expect(asked()).toHaveLength(1);
    expect(canceled()).toEqual([]);
  });

  it('ahead of a suggestion that then says something else asks anew', async () => {
    const { ask, answer, asked } = begin();
    const first = ask('im');
    await settle();
    answer(0, delta('po'));
    await first;
    const second = ask('impor');
    await settle();
    answer(0, delta('se'));
    await settle();
    expect(asked().map(({ payload }) => payload.prefix)).toEqual(['im', 'impor']);
    answer(1, delta('t'));
    expect(texts(await second, 'impor')).toEqual(['t']);
  });

  it('a suggestion to its end asks for the next one', async () => {
    const { ask, answer, asked } = begin();
    const first = ask('im');
    await settle();
    answer(0, done('port os'));
    await first;
    void ask('import os');
    await settle();
    expect(asked()).toHaveLength(2);
  });

  it('the same in another editor, or before other code, asks anew', async () => {
    const { ask, answer, asked } = begin();
    const first = ask('im');
    await settle();
    answer(0, done('port os'));
    await first;
    void ask('imp', { editor: {} });
    await settle();
    void ask('imp', { suffix: ')' });
    await settle();
    expect(asked()).toHaveLength(3);
  });
});

describe('a change after which nobody asks', () => {
  const at = (prefix: string) => ({ editor: EDITOR, prefix, suffix: '' });

  it('ends what no longer belongs, at once', async () => {
    const { ask, answer, asker, canceled } = begin();
    const answered = ask('  i');
    await settle();
    answer(0);
    asker.follow(at('  '));
    expect(canceled()).toEqual([{ run: 'r0', reason: 'input' }]);
    answer(0, { ...error('CANCELED') });
    expect(await answered).toEqual([]);
  });

  it('keeps what says what was typed', async () => {
    const { ask, answer, asker, canceled } = begin();
    const answered = ask('i');
    await settle();
    answer(0, delta('mport'));
    await answered;
    asker.follow(at('im'));
    asker.follow(at('import'));
    expect(canceled()).toEqual([]);
  });
});

describe('stopping', () => {
  it('still learns which model was stopped', async () => {
    const { ask, answer, asker } = begin();
    const answered = ask('im');
    await settle();
    answer(0, delta('po'));
    const [suggestion] = await answered;
    asker.stop();
    answer(0, { ...done('po'), code: 'CANCELED' });
    expect(await suggestion?.model).toBe('coder');
  });

  it('knows no model of what has failed', async () => {
    const { ask, answer } = begin();
    const answered = ask('im');
    await settle();
    answer(0, delta('po'));
    const [suggestion] = await answered;
    answer(0, error('WORKER_CRASHED'));
    expect(await suggestion?.model).toBe('');
  });

  it('ends what runs, and nothing is answered', async () => {
    const { ask, answer, asker, canceled } = begin();
    const answered = ask('im');
    await settle();
    answer(0);
    asker.stop();
    expect(canceled()).toEqual([{ run: 'r0', reason: 'user' }]);
    answer(0, delta('port'));
    answer(0, { ...error('CANCELED') });
    expect(await answered).toEqual([]);
    await settle();
    expect(asker.running).toBe(0);
  });

  it('while it waits sends nothing', async () => {
    const { ask, asker, asked } = begin({ typingDelayMs: 100 });
    const answered = ask('im');
    asker.stop();
    await vi.advanceTimersByTimeAsync(200);
    expect(await answered).toEqual([]);
    expect(asked()).toHaveLength(0);
  });

  it('forgets the suggestion', async () => {
    const { ask, answer, asker, asked } = begin();
    const first = ask('im');
    await settle();
    answer(0, done('port os'));
    await first;
    asker.stop();
    void ask('imp');
    await settle();
    expect(asked()).toHaveLength(2);
  });
});

describe('alternatives', () => {
  it('are asked for on demand, when the first is there, and come one by one', async () => {
    const { ask, answer, asker, asked } = begin();
    const came: string[] = [];
    asker.alternativeCame.connect((_, { cause }) => came.push(cause));
    const first = ask('x = ', { cause: 'demand' });
    await settle();
    answer(0, delta('1'));
    expect(texts(await first, 'x = ')).toEqual(['1']);
    expect(asked()).toHaveLength(1);
    answer(0, done('1'));
    await settle();
    expect(asked()).toHaveLength(3);
    expect(asked()[1]?.payload).toMatchObject({ prefix: 'x = ', temperature: 0.8 });
    expect(asked()[1]?.payload).not.toHaveProperty('seed');
    answer(1, done('2'));
    answer(2, done('1 '));
    await settle();
    expect(came).toEqual(['alternatives']);
    expect(texts(await ask('x = ', { cause: 'alternatives' }), 'x = ')).toEqual(['1', '2']);
    expect(asked()).toHaveLength(3);
  });

  it('are given up when the person types, and those that agree are kept', async () => {
    const { ask, answer, asked, canceled } = begin();
    const first = ask('x', { cause: 'demand' });
    await settle();
    answer(0, done(' = 1'));
    await first;
    await settle();
    answer(1, done(' = 2'));
    answer(2);
    await settle();
    expect(texts(await ask('x ='), 'x =')).toEqual([' 1', ' 2']);
    expect(canceled()).toEqual([{ run: 'r2', reason: 'input' }]);
    expect(asked()).toHaveLength(3);
  });

  it('are left out where something speaks against them, and the first is shown with it', async () => {
    const { ask, answer } = begin();
    const first = ask('x = ', { cause: 'demand' });
    await settle();
    answer(0, { ...done('f('), doubt: 'syntax' });
    expect((await first).map(({ doubt }) => doubt)).toEqual(['syntax']);
    await settle();
    answer(1, { ...done('g('), doubt: 'syntax' });
    answer(2, done('h()'));
    await settle();
    const both = await ask('x = ', { cause: 'alternatives' });
    expect(texts(both, 'x = ')).toEqual(['f(', 'h()']);
  });

  it('of a suggestion that is gone are not asked for again', async () => {
    const { ask, asked } = begin();
    expect(await ask('x', { cause: 'alternatives' })).toEqual([]);
    expect(asked()).toHaveLength(0);
  });

  it('are as many as the settings want', async () => {
    const { ask, answer, asked } = begin({ alternatives: 1 });
    const first = ask('x', { cause: 'demand' });
    await settle();
    answer(0, done('1'));
    await first;
    await settle();
    expect(asked()).toHaveLength(1);
  });
});

describe('trouble', () => {
  it('with the model is told once, and stops the asking until a model is ready', async () => {
    const { ask, answer, asked, socket, troubles } = begin();
    const first = ask('a');
    await settle();
    answer(0, error('MODEL_NOT_READY'));
    expect(await first).toEqual([]);
    await settle();
    expect(troubles.map(({ kind }) => kind)).toEqual(['no-model']);
    expect(await ask('ab')).toEqual([]);
    expect(asked()).toHaveLength(1);
    socket.receive({
      event: 'model:state',
      payload: { id: 'm', state: 'ready', received_bytes: 1, total_bytes: 1 }
    });
    void ask('abc');
    await settle();
    expect(asked()).toHaveLength(2);
    answer(1, error('MODEL_NOT_READY'));
    await settle();
    expect(troubles).toHaveLength(1);
  });

  it('is told again to who asks for a suggestion', async () => {
    const { ask, answer, asked, troubles } = begin();
    void ask('a');
    await settle();
    answer(0, error('MODEL_NOT_READY'));
    await settle();
    void ask('a', { cause: 'demand' });
    await settle();
    expect(asked()).toHaveLength(2);
    answer(1, error('MODEL_NOT_READY'));
    await settle();
    expect(troubles).toHaveLength(2);
  });

  it.each(['QUEUE_FULL', 'CONNECTION_ERROR', 'BACKEND_UNAVAILABLE', 'TIMEOUT'])(
    'of the kind %s is silent, and the next key asks again',
    async code => {
      const { ask, answer, asked, troubles } = begin();
      const first = ask('a');
      await settle();
      answer(0, error(code));
      expect(await first).toEqual([]);
      void ask('ab');
      await settle();
      expect(asked()).toHaveLength(2);
      expect(troubles).toEqual([]);
    }
  );

  it('with a provider that cannot fill in is told once, and stops the asking', async () => {
    const { ask, answer, asked, troubles } = begin();
    void ask('a');
    await settle();
    answer(0, error('INVALID_ARGUMENT', { provider: 'acme' }));
    await settle();
    expect(troubles.map(({ kind }) => kind)).toEqual(['refused']);
    expect(await ask('ab')).toEqual([]);
    expect(asked()).toHaveLength(1);
  });

  it.each(['settings:changed', 'providers:changed'])(
    'is forgotten when the server tells of %s',
    async event => {
      const { ask, answer, asked, socket } = begin();
      void ask('a');
      await settle();
      answer(0, error('DISABLED'));
      await settle();
      expect(await ask('ab')).toEqual([]);
      expect(asked()).toHaveLength(1);
      socket.receive({ event, payload: {} });
      void ask('abc');
      await settle();
      expect(asked()).toHaveLength(2);
    }
  );

  it('is forgotten when it comes after what the server tells has changed', async () => {
    const { ask, answer, asked, socket } = begin();
    void ask('a');
    await settle();
    socket.receive({ event: 'settings:changed', payload: {} });
    answer(0, error('DISABLED'));
    await settle();
    void ask('ab');
    await settle();
    expect(asked()).toHaveLength(2);
  });

  it('that completion is off on the server is told only to who asks', async () => {
    const { ask, answer, troubles } = begin();
    void ask('a');
    await settle();
    answer(0, error('DISABLED'));
    await settle();
    expect(troubles).toEqual([]);
    void ask('a', { cause: 'demand' });
    await settle();
    answer(1, error('DISABLED'));
    await settle();
    expect(troubles.map(({ kind }) => kind)).toEqual(['refused']);
  });

  it('with a server that does not have the extension is told once', async () => {
    const channel = makeChannel({ isServed: () => Promise.resolve(false) });
    channel.connect();
    FakeWebSocket.last.drop();
    await settle();
    const troubles: Trouble[] = [];
    const gate = new RequestGate(channel, trouble => troubles.push(trouble));
    expect([gate.allows(false), gate.allows(false)]).toEqual([false, false]);
    expect(troubles).toEqual([{ kind: 'absent' }]);
    expect(gate.allows(true)).toBe(false);
    expect(troubles).toHaveLength(2);
  });

  it('with the connection keeps us from asking, in silence', () => {
    const channel = openChannel();
    const troubles: Trouble[] = [];
    const gate = new RequestGate(channel, trouble => troubles.push(trouble));
    expect(gate.allows(false)).toBe(true);
    FakeWebSocket.last.drop();
    return settle().then(() => {
      expect(gate.allows(true)).toBe(false);
      expect(troubles).toEqual([]);
    });
  });

  it('in the middle of an answer keeps what came on the screen, and is not waited for', async () => {
    const { ask, answer } = begin();
    const answered = ask('a');
    await settle();
    answer(0, delta('b'));
    const [suggestion] = await answered;
    answer(0, error('BACKEND_UNAVAILABLE'));
    expect(suggestion?.isOver).toBe(true);
    await suggestion?.next();
  });
});

describe('looking ahead', () => {
  const ahead = () => begin({ lookAhead: true });

  it('asks for what follows a suggestion that is there, and shows it at once after an accept', async () => {
    const { ask, answer, asked } = ahead();
    const first = ask('im');
    await settle();
    answer(0, delta('port'), done('port'));
    await first;
    await settle();
    expect(asked().map(({ payload }) => payload.ahead)).toEqual([undefined, true]);
    expect(asked()[1]?.payload).toMatchObject({ prefix: 'import', multiline: true });
    answer(1, delta(' numpy'), done(' numpy'));
    expect(texts(await ask('import'), 'import')).toEqual([' numpy']);
    await settle();
    expect(asked()[2]?.payload).toMatchObject({ prefix: 'import numpy' });
  });

  it('keeps what still comes where the suggestion is typed', async () => {
    const { ask, answer, canceled } = ahead();
    const first = ask('im');
    await settle();
    answer(0, delta('port'), done('port'));
    await first;
    await settle();
    answer(1);
    expect(texts(await ask('imp'), 'imp')).toEqual(['ort']);
    const next = ask('import');
    answer(1, delta(' os'));
    expect(texts(await next, 'import')).toEqual([' os']);
    expect(canceled()).toEqual([]);
  });

  it('ends where something else is typed, and with everything else', async () => {
    const { ask, answer, asked, canceled, asker } = ahead();
    const first = ask('im');
    await settle();
    answer(0, delta('port'), done('port'));
    await first;
    await settle();
    answer(1);
    void ask('imag');
    expect(canceled()).toEqual([{ run: 'r1', reason: 'input' }]);
    await settle();
    answer(2, delta('e'), done('e'));
    await settle();
    answer(3);
    asker.stop();
    expect(canceled()).toHaveLength(2);
    expect(asked()).toHaveLength(4);
  });

  it('asks nothing after a suggestion that is empty, in doubt or failed', async () => {
    const { ask, answer, asked } = ahead();
    for (const frame of [done(''), { ...done('x'), doubt: 'syntax' }, error('TIMEOUT')]) {
      const index = asked().length;
      void ask(`a${index}`);
      await settle();
      answer(index, frame);
      await settle();
      expect(asked()).toHaveLength(index + 1);
    }
  });

  it('asks nothing on battery', async () => {
    const { ask, answer, asked } = begin({ lookAhead: true }, () => true);
    void ask('im');
    await settle();
    answer(0, delta('port'), done('port'));
    await settle();
    expect(asked()).toHaveLength(1);
  });

  it('says nothing of a failure, and asks again where it is wanted', async () => {
    const { ask, answer, asked, troubles } = ahead();
    void ask('im');
    await settle();
    answer(0, delta('port'), done('port'));
    await settle();
    answer(1, error('WORKER_CRASHED'));
    await settle();
    expect(troubles).toEqual([]);
    void ask('import');
    await settle();
    expect(asked()[2]?.payload).toMatchObject({ prefix: 'import' });
    expect(asked()[2]?.payload.ahead).toBeUndefined();
  });
});

describe('the power', () => {
  it('follows the battery, and asks nobody who has none', async () => {
    const battery = { charging: true };
    const power = new Power({ getBattery: () => Promise.resolve(battery) });
    expect(power.isOnBattery).toBe(false);
    await settle();
    expect(power.isOnBattery).toBe(false);
    battery.charging = false;
    expect(power.isOnBattery).toBe(true);
    expect(new Power({}).isOnBattery).toBe(false);
    const forbidden = new Power({ getBattery: () => Promise.reject(new Error('forbidden')) });
    await settle();
    expect(forbidden.isOnBattery).toBe(false);
  });
});
