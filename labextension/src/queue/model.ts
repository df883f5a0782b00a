/** What runs and waits: asked for when it has changed and somebody looks. */

import {
  type CallRequest,
  type ErrorPayload,
  OVER_CODES,
  type ProviderInfo,
  type QueueAnswer,
  type QueueView
} from '../contract';
import type { Translate } from '../shared/text/translate';
import type { IChannel } from '../shared/tokens';
import { GENERAL } from '../shared/ui/actionState';
import { PanelModel } from '../shared/ui/panelModel';
import { canceledText, queuedText } from './words';

/** Many requests can end in one second; nobody reads as fast. */
const PAUSE_MS = 200;
/** Id in `ActionState`: the form in which a prompt is written. */
export const FORM = ' form';

export class QueueModel extends PanelModel {
  constructor(channel: IChannel, trans: Translate, isVisible: () => boolean, pauseMs = PAUSE_MS) {
    super(channel, trans, isVisible, pauseMs);
    this._subscribe('providers:changed', ({ providers }) => {
      this._providers = providers;
      this._emitChanged();
    });
    this._subscribe('queue:updated', () => {
      if (this._isVisible()) {
        void this.refresh();
      }
    });
  }

  get isKnown(): boolean {
    return this._view !== null;
  }

  /** Null until the service has told it. */
  get view(): QueueView | null {
    return this._view;
  }

  /** How many can be cancelled. */
  get open(): number {
    const { running, waiting, streams } = this._view ?? { running: [], waiting: [], streams: [] };
    return running.length + waiting.length + streams.length;
  }

  /** Who could be asked; empty until the form was opened. */
  get providers(): readonly ProviderInfo[] {
    return this._providers;
  }

  /** The answer of a request that somebody wanted to see. */
  answer(id: string): QueueAnswer | undefined {
    return this._answers.get(id);
  }

  /** What a request asked, where somebody wanted to see it. */
  prompt(id: string): string | undefined {
    return this._prompts.get(id);
  }

  /** Find out who could be asked. */
  async openForm(): Promise<void> {
    const list = await this.actionState.ask(FORM, 'provider:list', {});
    if (list) {
      this._providers = list.providers;
      this._emitChanged();
    }
  }

  /** Queue a prompt; answers whether it was taken. */
  async add(request: CallRequest): Promise<boolean> {
    const queued = await this.actionState.ask(FORM, 'llm:call', request);
    if (queued) {
      this.actionState.say(FORM, queuedText(queued.position, this._trans));
    }
    await this.refresh();
    return queued !== null;
  }

  /** Show the answer of a request, as long as the service remembers it. */
  async show(id: string): Promise<void> {
    const answer = await this.actionState.ask(id, 'queue:get', { id });
    if (answer) {
      this._answers.set(id, answer);
      this._emitChanged();
    }
  }

  hide(id: string): void {
    this._answers.delete(id);
    this._emitChanged();
  }

  /** Show what a request asked, as long as the service remembers it. */
  async showPrompt(id: string): Promise<void> {
    const answer = await this.actionState.ask(id, 'queue:get', { id, with_prompt: true });
    if (answer) {
      this._prompts.set(id, answer.prompt);
      this._emitChanged();
    }
  }

  hidePrompt(id: string): void {
    this._prompts.delete(id);
    this._emitChanged();
  }

  /** Queue the prompt of a request that has ended again; its answer is for later, as that of the form. */
  async retry(id: string): Promise<void> {
    const queued = await this.actionState.ask(id, 'llm:retry', { id, keep: true });
    if (queued) {
      this.actionState.say(id, queuedText(queued.position, this._trans));
    }
    await this.refresh();
  }

  /** End one request; `what` is how it is called. */
  async cancel(id: string, what: string): Promise<void> {
    const answer = await this.actionState.tryTo(id, 'llm:cancel', { id }, error => {
      if (isOver(error)) {
        this.actionState.say(GENERAL, this._trans.__('%1: already finished.', what));
      } else {
        this.actionState.fail(GENERAL, error);
      }
    });
    if (answer) {
      this.actionState.speak(this._trans.__('%1: cancelled.', what));
    }
    await this.refresh();
  }

  /** End everything that runs or waits, also what was asked from other pages. */
  async cancelAll(): Promise<void> {
    const answer = await this.actionState.ask(GENERAL, 'llm:cancelAll', {});
    if (answer) {
      this.actionState.say(GENERAL, canceledText(answer.count, this._trans));
    }
    await this.refresh();
  }

  protected async _load(): Promise<void> {
    this._view = await this._channel.request('queue:list', {});
    this._emitChanged();
  }

  protected override _resetServerState(): void {
    this._answers.clear();
    this._prompts.clear();
  }

  private readonly _answers = new Map<string, QueueAnswer>();
  private readonly _prompts = new Map<string, string>();
  private _providers: readonly ProviderInfo[] = [];
  private _view: QueueView | null = null;
}

/** Whether there was nothing left to cancel. */
function isOver({ code }: ErrorPayload): boolean {
  return OVER_CODES.includes(code);
}
