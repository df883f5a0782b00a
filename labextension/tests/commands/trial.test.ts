import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { type ITrialKernel, Trial } from '../../src/commands/trial';
import { viewOf } from '../../src/commands/view';
import { trialText } from '../../src/commands/words';
import { encodedJson } from '../../src/shared/notebook/expression';
import { settle } from '../fakes';
import { done } from '../shared/answers/samples';

const trans = nullTranslator.load('');

class FakeKernel {
  status = 'idle';
  language = 'python';
  readonly asked: { user_expressions: Record<string, string>; silent: boolean }[] = [];
  interrupts = 0;
  readonly statusChanged = new Signal<this, string>(this);
  readonly spec = Promise.resolve().then(() => ({ language: this.language }));

  requestExecute(content: FakeKernel['asked'][number]): { done: Promise<unknown> } {
    this.asked.push(content);
    return {
      done: new Promise((resolve, reject) => {
        this._resolve = resolve;
        this.die = reject;
      })
    };
  }

  become(status: string): void {
    this.status = status;
    this.statusChanged.emit(status);
  }

  interrupt(): Promise<void> {
    this.interrupts++;
    return Promise.resolve();
  }

  answer(result: unknown): void {
    this._resolve({ content: { status: 'ok', user_expressions: { localcoder_trial: result } } });
  }

  verdict(kind: string, sentence: string): void {
    const printed = `'${encodedJson({ kind, sentence, notes: ['Time.'] })}'`;
    this.answer({ status: 'ok', data: { 'text/plain': printed } });
  }

  die: (reason: Error) => void = () => undefined;
  private _resolve: (reply: unknown) => void = () => undefined;
}

function begun(kernel = new FakeKernel()): { kernel: FakeKernel; trial: Trial } {
  const trial = new Trial(() => kernel as unknown as ITrialKernel);
  return { kernel, trial };
}

async function running(): Promise<{ kernel: FakeKernel; trial: Trial }> {
  const made = begun();
  void made.trial.start('x = 1', 'x = "é"');
  await settle();
  return made;
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a trial', () => {
  it('is one silent request with both texts, and shows the verdict', async () => {
    const { kernel, trial } = await running();
    expect(trial.isRunning).toBe(true);
    expect(kernel.asked).toHaveLength(1);
    expect(kernel.asked[0]?.silent).toBe(true);
    expect(kernel.asked[0]?.user_expressions.localcoder_trial).toContain(
      encodedJson({ old: 'x = 1', new: 'x = "é"' })
    );
    kernel.verdict('differs', 'Differs in `x`.');
    await settle();
    expect(trial.outcome).toEqual({
      kind: 'verdict',
      sentence: 'Differs in `x`.',
      notes: ['Time.'],
      isBad: true
    });
    expect(trialText(trial.outcome, trans)).toBe('Differs in `x`. Time.');
    expect(kernel.interrupts).toBe(0);
  });

  it('is stopped by an interrupt, and what comes afterwards does not count', async () => {
    const { kernel, trial } = await running();
    trial.stop();
    expect([trial.outcome.kind, kernel.interrupts]).toEqual(['stopped', 1]);
    kernel.answer({ status: 'error', ename: 'KeyboardInterrupt', evalue: '' });
    await settle();
    trial.stop();
    expect([trial.outcome.kind, kernel.interrupts]).toEqual(['stopped', 1]);
  });

  it('ends with its panel', async () => {
    const { kernel, trial } = await running();
    trial.dispose();
    expect(kernel.interrupts).toBe(1);
  });

  it('is forgotten when another change is shown', async () => {
    const { kernel, trial } = await running();
    trial.show('x = 1', 'x = "é"');
    expect(trial.isRunning).toBe(true);
    trial.show('x = 1', 'x = 2');
    expect([trial.outcome.kind, kernel.interrupts]).toEqual(['none', 1]);
    kernel.verdict('same', 'Same result.');
    await settle();
    expect(trial.outcome.kind).toBe('none');
  });

  it('never interrupts what it did not start', async () => {
    vi.useFakeTimers();
    const { kernel, trial } = begun();
    kernel.status = 'busy';
    void trial.start('a', 'b');
    await vi.advanceTimersByTimeAsync(4900);
    expect(trial.outcome.kind).toBe('running');
    await vi.advanceTimersByTimeAsync(200);
    vi.useRealTimers();
    trial.stop();
    trial.dispose();
    expect([trial.outcome.kind, kernel.asked.length, kernel.interrupts]).toEqual(['busy', 0, 0]);
    const other = begun();
    void other.trial.start('a', 'b');
    other.trial.stop(); // before the language of the kernel is known
    await settle();
    expect([other.trial.outcome.kind, other.kernel.asked.length, other.kernel.interrupts]).toEqual([
      'stopped',
      0,
      0
    ]);
  });

  it('waits for what is short in the kernel, and is stopped while it waits', async () => {
    const { kernel, trial } = begun();
    kernel.status = 'starting';
    void trial.start('a', 'b');
    await settle();
    expect([trial.outcome.kind, kernel.asked.length]).toEqual(['running', 0]);
    kernel.become('busy');
    kernel.become('idle');
    await settle();
    expect([trial.outcome.kind, kernel.asked.length]).toEqual(['running', 1]);
    const other = begun();
    other.kernel.status = 'busy';
    void other.trial.start('a', 'b');
    await settle();
    other.trial.stop();
    other.kernel.become('idle');
    await settle();
    expect([other.trial.outcome.kind, other.kernel.asked.length, other.kernel.interrupts]).toEqual([
      'stopped',
      0,
      0
    ]);
  });

  it('says why it is not possible', async () => {
    const none = new Trial(() => null);
    await none.start('a', 'b');
    expect(trialText(none.outcome, trans)).toContain('no kernel is running');
    const kernel = new FakeKernel();
    kernel.language = 'R';
    const { trial } = begun(kernel);
    await trial.start('a', 'b');
    expect(trialText(trial.outcome, trans)).toContain('the kernel runs R');
    expect(kernel.asked).toEqual([]);
  });

  it.each([
    [{ status: 'error', ename: 'ModuleNotFoundError', evalue: 'x' }, 'does not have jupyter_local'],
    [{ status: 'error', ename: 'OSError', evalue: 'disk' }, 'OSError: disk'],
    [{ status: 'ok', data: { 'text/plain': 'nonsense' } }, 'the trial failed'],
    [undefined, 'the trial failed']
  ])('says what went wrong: %j', async (result, said) => {
    const { kernel, trial } = await running();
    kernel.answer(result);
    await settle();
    expect(trialText(trial.outcome, trans)).toContain(said);
  });

  it('is stopped by a restart of the kernel', async () => {
    const { kernel, trial } = await running();
    kernel.die(new Error('Canceled'));
    await settle();
    expect(trial.outcome.kind).toBe('stopped');
    trial.stop();
    expect(kernel.interrupts).toBe(0);
  });
});

describe('the buttons of a change', () => {
  const state = {
    answer: 'done' as const,
    proposal: 'open' as const,
    hunks: 1,
    hasText: true,
    hasChat: false,
    done: done('r', 'x'),
    error: null
  };

  it('offer a trial, and while it runs its end', () => {
    expect(viewOf(state, trans).actions).toContain('try');
    const { actions } = viewOf({ ...state, isTrying: true }, trans);
    expect(actions).toContain('stop-trial');
    expect(actions).not.toContain('try');
    // What is not ready is not tried.
    expect(viewOf({ ...state, proposal: 'stale' }, trans).actions).not.toContain('try');
    expect(viewOf({ ...state, answer: 'writing' }, trans).actions).not.toContain('try');
  });
});
