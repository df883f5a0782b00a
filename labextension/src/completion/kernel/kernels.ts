/** What the kernels of this page know, each asked by itself. */

import type { ISessionContext } from '@jupyterlab/apputils';
import { type ISignal, Signal } from '@lumino/signaling';

import type { KernelVariable, Probe } from '../../contract';
import type { IChannel } from '../../shared/tokens';
import { SessionKnowledge } from './knowledge';

export class KernelKnowledge {
  constructor(
    private readonly _channel: IChannel,
    private readonly _isWanted: () => boolean
  ) {}

  /** A run has ended in this session, and what its kernel knows is known. */
  get settled(): ISignal<this, ISessionContext> {
    return this._settled;
  }

  /** Follow a session until its end. */
  follow(session: ISessionContext): void {
    if (this._known.has(session) || session.isDisposed) {
      return;
    }
    const knowledge = new SessionKnowledge(session, this._probe, this._isWanted);
    this._known.set(session, knowledge);
    this._open.add(knowledge);
    knowledge.settled.connect(() => {
      this._settled.emit(session);
    });
    session.disposed.connect(() => {
      knowledge.dispose();
      this._open.delete(knowledge);
    });
  }

  /** What was not wanted may be wanted now: a setting, a pause or the connection has changed. */
  wake(): void {
    for (const knowledge of this._open) {
      knowledge.wake();
    }
  }

  /** What is known now, without asking anybody. */
  of(session: ISessionContext | undefined): { variables: KernelVariable[]; count: number } {
    const knowledge = session && this._known.get(session);
    return {
      variables: [...(knowledge?.variables ?? [])],
      count: knowledge?.count ?? Infinity
    };
  }

  /** How kernels of a language are asked; the server is asked for it once. */
  private readonly _probe = (language: string): Promise<Probe | null> => {
    let probe = this._probes.get(language);
    if (!probe) {
      probe = this._channel
        .request('context:probe', { language })
        .then(found => (found.code === '' && found.expression === '' ? null : found));
      this._probes.set(language, probe);
      probe.catch(() => this._probes.delete(language));
    }
    return probe;
  };

  private readonly _settled = new Signal<this, ISessionContext>(this);
  private readonly _known = new WeakMap<ISessionContext, SessionKnowledge>();
  private readonly _open = new Set<SessionKnowledge>();
  private readonly _probes = new Map<string, Promise<Probe | null>>();
}
