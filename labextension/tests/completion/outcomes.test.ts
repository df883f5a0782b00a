import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { KEPT_AFTER_MS, Outcomes, SHOWN_AFTER_MS } from '../../src/completion/outcomes';
import { Suggestion } from '../../src/completion/requests/suggestion';
import { FakeWebSocket, openChannel } from '../fakes';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function begin() {
  const channel = openChannel();
  const socket = FakeWebSocket.last;
  const screen = { ghost: '' };
  const outcomes = new Outcomes(channel, () => screen.ghost);
  const told = async () => {
    await vi.advanceTimersByTimeAsync(0);
    return socket.sent
      .filter(({ op }) => op === 'stats:record')
      .flatMap(({ payload }) => (payload as { outcomes: Record<string, string>[] }).outcomes);
  };
  const begins = (text: string) => {
    const suggestion = new Suggestion({ editor: {}, prefix: 'x = ', suffix: '' });
    suggestion.grow(text);
    screen.ghost = text;
    outcomes.appeared(suggestion, 'python');
    return suggestion;
  };
  const appear = (text: string) => {
    const suggestion = begins(text);
    suggestion.finish(text);
    suggestion.close('coder');
    return suggestion;
  };
  return {
    outcomes,
    screen,
    begins,
    appear,
    names: async () => (await told()).map(({ outcome }) => outcome),
    told,
    socket
  };
}

function cell(source: string, isDisposed = false) {
  return { isDisposed, getSource: () => source };
}

describe('outcomes of suggestions', () => {
  it('counts a suggestion that stays on the screen, once, and says nothing of its text', async () => {
    const { appear, told, outcomes, socket } = begin();
    const suggestion = appear('secret_name()');
    outcomes.appeared(suggestion, 'python');
    vi.advanceTimersByTime(10 * SHOWN_AFTER_MS);
    expect(await told()).toEqual([{ outcome: 'shown', model: 'coder', language: 'python' }]);
    expect(JSON.stringify(socket.sent)).not.toContain('secret_name');
  });

  it('does not count what was gone before it could be read', async () => {
    const { appear, names, screen } = begin();
    appear('a()');
    screen.ghost = '';
    vi.advanceTimersByTime(SHOWN_AFTER_MS);
    appear('b()');
    vi.advanceTimersByTime(SHOWN_AFTER_MS / 2);
    appear('c()');
    vi.advanceTimersByTime(SHOWN_AFTER_MS);
    expect(await names()).toEqual(['shown']);
  });

  it('counts one that was accepted at once as shown', async () => {
    const { appear, names, outcomes } = begin();
    appear('a()');
    outcomes.accepted('all', 'a()', cell('x = a()'));
    vi.advanceTimersByTime(KEPT_AFTER_MS);
    expect(await names()).toEqual(['shown', 'accepted', 'kept']);
  });

  it('counts the first part that was accepted, and keeps all of them in mind', async () => {
    const { appear, names, outcomes } = begin();
    let source = 'x = ';
    const file = { isDisposed: false, getSource: () => source };
    appear('np.array(data)');
    outcomes.accepted('word', 'np', file);
    outcomes.accepted('line', '.array(data)', file);
    source = 'x = np.array(other)';
    vi.advanceTimersByTime(KEPT_AFTER_MS);
    expect(await names()).toEqual(['shown', 'accepted_word']);
  });

  it.each([cell('y = 2'), cell('x = a()', true)])(
    'does not call kept what is gone',
    async source => {
      const { appear, names, outcomes } = begin();
      appear('a()');
      outcomes.accepted('line', 'a()', source);
      vi.advanceTimersByTime(KEPT_AFTER_MS);
      expect(await names()).toEqual(['shown', 'accepted_line']);
    }
  );

  it('counts a dismissal once, and none of a suggestion that was accepted in part', async () => {
    const { appear, names, outcomes } = begin();
    appear('a()');
    outcomes.dismissed('a()');
    outcomes.dismissed('a()');
    expect(await names()).toEqual(['shown', 'dismissed']);
    appear('b.c()');
    outcomes.accepted('word', 'b', cell('b'));
    outcomes.dismissed('.c()');
    expect(await names()).toEqual(['shown', 'dismissed', 'shown', 'accepted_word']);
  });

  it('counts one that was accepted before all of it has come with its model, in order', async () => {
    const { begins, appear, told, outcomes } = begin();
    const first = begins('a(');
    outcomes.accepted('all', 'a(', cell('x = a('));
    appear('b()');
    outcomes.dismissed('b()');
    expect(await told()).toEqual([]);
    first.close('other');
    expect((await told()).map(({ outcome, model }) => [outcome, model])).toEqual([
      ['shown', 'other'],
      ['accepted', 'other'],
      ['shown', 'coder'],
      ['dismissed', 'coder']
    ]);
  });

  it('leaves the ghost texts of others alone', async () => {
    const { appear, names, outcomes } = begin();
    outcomes.accepted('all', 'theirs', cell('theirs'));
    appear('a()');
    outcomes.accepted('all', 'theirs', cell('theirs'));
    outcomes.dismissed('theirs');
    outcomes.dismissed('');
    expect(await names()).toEqual([]);
  });
});
