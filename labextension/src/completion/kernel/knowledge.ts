/**
 * What the kernel of a session knows: names, types, shapes and columns, never values.
 *
 * Asked for after each run, by one silent request that leaves no trace: no history, no output, no execution
 * count. A kernel that is busy is never asked, and one that was slow to answer is asked less often.
 */

import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { KernelVariable, Probe } from '../../contract';
import { requestValue } from '../../shared/notebook/expression';
import { readVariables } from './variables';

/** An answer is waited for so long; one that comes later counts if nothing has run since. */
export const LIMIT_MS = 200;
/** Cells that run one after the other are one run. */
const QUIET_MS = 100;
/** A kernel is ours for at most one part in so many. */
const REST = 20;
const EXPRESSION = 'localcoder';

/** The part of a session that is used here. */
export type ISession = Pick<
  ISessionContext,
  'session' | 'kernelChanged' | 'statusChanged' | 'connectionStatusChanged' | 'iopubMessage'
>;

export class SessionKnowledge implements IDisposable {
  /**
   * `probe` answers how a kernel of a language is asked, null where it cannot be; `isWanted` whether it may be.
   */
  constructor(
    private readonly _session: ISession,
    private readonly _probe: (language: string) => Promise<Probe | null>,
    private readonly _isWanted: () => boolean,
    private readonly _now: () => number = () => performance.now()
  ) {
    _session.kernelChanged.connect(this._onKernel);
    _session.statusChanged.connect(this._onStatus);
    _session.connectionStatusChanged.connect(this._onConnection);
    _session.iopubMessage.connect(this._onMessage);
    this._onKernel();
  }

  /** What the user has defined, the names used last first. */
  get variables(): readonly KernelVariable[] {
    return this._isWanted() ? this._variables : [];
  }

  /** The kernel's own execution count; infinite until it is known. */
  get count(): number {
    return this._count;
  }

  /** A run has ended, and what the kernel knows is known as far as it can be. */
  get settled(): ISignal<this, void> {
    return this._settled;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** It may be wanted now what was not before: ask for what has not been asked for. */
  wake(): void {
    if (this._isDirty && !this._isDisposed && this._isWanted()) {
      this._soon();
    }
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    clearTimeout(this._timer);
    this._session.kernelChanged.disconnect(this._onKernel);
    this._session.statusChanged.disconnect(this._onStatus);
    this._session.connectionStatusChanged.disconnect(this._onConnection);
    this._session.iopubMessage.disconnect(this._onMessage);
    Signal.clearData(this);
  }

  private readonly _onKernel = (): void => {
    this._variables = [];
    this._count = Infinity;
    this._run++;
    this._isDirty = true;
    this._soon();
  };

  private readonly _onStatus = (_: unknown, status: Kernel.Status): void => {
    if (status === 'restarting' || status === 'autorestarting') {
      this._variables = [];
      this._count = 0;
      this._run++;
      this._isDirty = true;
    } else if (status === 'idle' && this._isDirty) {
      this._soon();
    }
  };

  private readonly _onConnection = (_: unknown, status: Kernel.ConnectionStatus): void => {
    if (status === 'connected' && this._isDirty) {
      this._soon();
    }
  };

  private readonly _onMessage = (_: unknown, message: KernelMessage.IMessage): void => {
    // Whoever runs something, in whichever front end, is heard here; our own silent request is not.
    if (message.header.msg_type === 'execute_input') {
      // Of a kernel that is not asked, this is all that is heard of its count.
      const { execution_count: count } =
        message.content as KernelMessage.IExecuteInputMsg['content'];
      this._count = count ?? Infinity;
      this._run++;
      this._isDirty = true;
      clearTimeout(this._timer);
    }
  };

  private _soon(): void {
    clearTimeout(this._timer);
    const wait = Math.max(QUIET_MS, this._restUntil - this._now());
    this._timer = setTimeout(() => void this._ask(), wait);
  }

  private _idleKernel(): Kernel.IKernelConnection | null {
    const kernel = this._session.session?.kernel ?? null;
    return kernel?.status === 'idle' && kernel.connectionStatus === 'connected' ? kernel : null;
  }

  private async _ask(): Promise<void> {
    const kernel = this._idleKernel();
    if (!kernel || !this._isDirty || this._isDisposed) {
      return; // The next `idle` comes back here.
    }
    const run = this._run;
    try {
      const spec = this._isWanted() ? await kernel.spec : undefined;
      const probe = spec && (await this._probe(spec.language.toLowerCase()));
      // While that was found out, somebody may have run something.
      if (probe !== undefined && this._isCurrent(run) && this._idleKernel() === kernel) {
        this._isDirty = false;
        if (probe) {
          await this._send(kernel, probe, run);
        }
      }
    } catch {
      // A kernel that goes away in the meantime, or a server: then nothing is known, as before.
    }
    if (this._isCurrent(run)) {
      this._settled.emit();
    }
  }

  /** Whether nothing has run since. */
  private _isCurrent(run: number): boolean {
    return run === this._run && !this._isDisposed;
  }

  private async _send(kernel: Kernel.IKernelConnection, probe: Probe, run: number): Promise<void> {
    const sent = this._now();
    const future = requestValue(kernel, EXPRESSION, probe.expression, probe.code);
    const answered = future.done.then(
      reply => {
        this._restUntil = this._now() + REST * Math.max(0, this._now() - sent - LIMIT_MS);
        if (this._isCurrent(run)) {
          this._take(reply);
        }
      },
      () => undefined // The kernel went away.
    );
    await Promise.race([answered, new Promise(resolve => setTimeout(resolve, LIMIT_MS))]);
  }

  private _take(reply: KernelMessage.IExecuteReplyMsg | undefined): void {
    const content = reply?.content;
    if (content?.status !== 'ok') {
      return;
    }
    this._count = content.execution_count ?? Infinity;
    this._variables = readVariables(content.user_expressions[EXPRESSION]) ?? this._variables;
  }

  private readonly _settled = new Signal<this, void>(this);
  private _variables: readonly KernelVariable[] = [];
  private _count = Infinity;
  private _isDirty = true;
  private _isDisposed = false;
  /** Grows with each run: an answer from before it is worth nothing. */
  private _run = 0;
  private _restUntil = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}
