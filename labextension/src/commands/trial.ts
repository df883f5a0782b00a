/**
 * A change of a cell, tried in a copy of the notebook: the kernel starts isolated processes that run the old
 * and the new text with copies of its variables, and says what came of it. Nothing runs in the kernel itself.
 */

import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';

import { encodedJson, printedJson, requestValue } from '../shared/notebook/expression';

/** `none`: nothing was tried, or something else than what is shown now. */
export type TrialOutcome =
  | { kind: 'none' | 'running' | 'stopped' | 'no-kernel' | 'busy' | 'not-installed' }
  | { kind: 'language'; language: string }
  | { kind: 'failed'; reason: string }
  | { kind: 'verdict'; sentence: string; notes: readonly string[]; isBad: boolean };

/** The part of a kernel that is used here. */
export type ITrialKernel = Pick<
  Kernel.IKernelConnection,
  'spec' | 'status' | 'statusChanged' | 'requestExecute' | 'interrupt'
>;

const EXPRESSION = 'localcoder_trial';
const IDLE_WAIT_MS = 5000;
const BAD = new Set(['differs', 'broken', 'fails']);

export class Trial {
  constructor(private readonly _kernel: () => ITrialKernel | null) {}

  get outcome(): TrialOutcome {
    return this._outcome;
  }

  get isRunning(): boolean {
    return this._outcome.kind === 'running';
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Try a change; what came of an earlier one is forgotten. */
  async start(before: string, after: string): Promise<void> {
    this._end();
    const kernel = this._kernel();
    if (!kernel) {
      this._set({ kind: 'no-kernel' });
      return;
    }
    const run = ++this._run;
    this._pair = [before, after];
    this._set({ kind: 'running' });
    try {
      const language = (await kernel.spec)?.language ?? 'python';
      const isPython = language.toLowerCase() === 'python';
      // A request would wait for what runs now, and to stop it would stop that. What is short, such as a
      // request of the debugger or of the completer, is waited for.
      const isIdle = isPython && (await idleWithin(kernel, IDLE_WAIT_MS));
      if (run !== this._run) {
        return;
      }
      if (!isIdle) {
        this._set(isPython ? { kind: 'busy' } : { kind: 'language', language });
        return;
      }
      const asked = encodedJson({ old: before, new: after });
      const expression = `__import__('jupyter_localcoder.trial.page', fromlist=['answer']).answer('${asked}')`;
      const future = requestValue(kernel, EXPRESSION, expression, 'pass');
      this._asked = kernel;
      const reply = await future.done;
      if (run === this._run) {
        this._asked = null;
        this._set(outcomeOf(reply));
      }
    } catch {
      // The kernel was restarted, or is gone.
      if (run === this._run) {
        this._asked = null;
        this._set({ kind: 'stopped' });
      }
    }
  }

  /** End what runs. */
  stop(): void {
    if (this.isRunning) {
      this._end();
      this._set({ kind: 'stopped' });
    }
  }

  /** What is shown is this change now: the result for another one does not count. */
  show(before: string, after: string): void {
    const isSame = this._pair?.[0] === before && this._pair[1] === after;
    if (this._pair && !isSame) {
      this._end();
      this._pair = null;
      this._set({ kind: 'none' });
    }
  }

  dispose(): void {
    this._end();
    Signal.clearData(this);
  }

  private _end(): void {
    this._run++;
    const kernel = this._asked;
    this._asked = null;
    // It was idle when it was asked, so this is what it is doing.
    kernel?.interrupt().catch(() => undefined);
  }

  private _set(outcome: TrialOutcome): void {
    this._outcome = outcome;
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _outcome: TrialOutcome = { kind: 'none' };
  private _pair: readonly [string, string] | null = null;
  /** The kernel that runs the trial. */
  private _asked: ITrialKernel | null = null;
  private _run = 0;
}

/** Whether a kernel is idle, now or before the time is over. */
async function idleWithin(kernel: ITrialKernel, ms: number): Promise<boolean> {
  if (kernel.status === 'idle') {
    return true;
  }
  return new Promise(resolve => {
    const end = (): void => {
      clearTimeout(timer);
      kernel.statusChanged.disconnect(onStatus);
      resolve(kernel.status === 'idle');
    };
    const onStatus = (): void => {
      if (kernel.status === 'idle') {
        end();
      }
    };
    const timer = setTimeout(end, ms);
    kernel.statusChanged.connect(onStatus);
  });
}

function outcomeOf(reply: KernelMessage.IExecuteReplyMsg): TrialOutcome {
  const { content } = reply;
  if (content.status !== 'ok') {
    return { kind: 'stopped' };
  }
  const result: unknown = content.user_expressions[EXPRESSION];
  const error = result as { status?: string; ename?: string; evalue?: string } | undefined;
  if (error?.status === 'error') {
    if (error.ename === 'KeyboardInterrupt') {
      return { kind: 'stopped' };
    }
    return error.ename === 'ModuleNotFoundError'
      ? { kind: 'not-installed' }
      : { kind: 'failed', reason: `${error.ename ?? ''}: ${error.evalue ?? ''}` };
  }
  const verdict = printedJson(result) as {
    kind?: unknown;
    sentence?: unknown;
    notes?: unknown;
  } | null;
  return typeof verdict?.sentence === 'string'
    ? {
        kind: 'verdict',
        sentence: verdict.sentence,
        notes: Array.isArray(verdict.notes) ? verdict.notes.map(String) : [],
        isBad: BAD.has(String(verdict.kind))
      }
    : { kind: 'failed', reason: '' };
}
