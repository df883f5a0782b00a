/**
 * The chat of this page: the conversations that the server keeps, the one that is open, and what is asked in it.
 *
 * The server remembers what was said; a question goes with the id of the turn that it follows.
 */

import { type ISignal, Signal } from '@lumino/signaling';

import type {
  ChatRequest,
  Conversation,
  ConversationInfo,
  ErrorPayload,
  KernelVariable,
  Origin,
  ProviderInfo,
  ProviderList,
  Reference
} from '../contract';
import { StreamedAnswer } from '../shared/answers/streamedAnswer';
import { ChannelError, type ChannelState, type IChannel } from '../shared/tokens';
import { asked, ended, type ITurn, kept, versionsOf } from './turn';

/** So many conversations are listed; older ones are still in the history. */
const LISTED = 100;

export interface IQuestionDraft {
  words: string;
  references: readonly Reference[];
}

export class ChatModel {
  constructor(
    private readonly _channel: IChannel,
    private readonly _origin: () => Origin,
    private readonly _variables: () => readonly KernelVariable[] = () => [],
    private readonly _now: () => Date = () => new Date()
  ) {
    this._answer = new StreamedAnswer(_channel, 'chat');
    this._answer.changed.connect(() => {
      this._onAnswer();
    });
    _channel.on('history:changed', () => {
      this._refreshIfWanted();
    });
    _channel.on('providers:changed', list => {
      this._takeProviders(list);
    });
    _channel.on('settings:changed', () => {
      // The air gap shuts providers out.
      this._refreshIfWanted();
    });
    _channel.stateChanged.connect(() => {
      this._refreshIfWanted();
      this._changed.emit();
    });
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Something is there for the box in which the next question is written: `takeDrafts`. */
  get drafted(): ISignal<this, void> {
    return this._drafted;
  }

  /** The one that was last spoken in first. */
  get conversations(): readonly ConversationInfo[] {
    return this._conversations;
  }

  /** Id of the open one; empty for one that is not begun. */
  get conversation(): string {
    return this._conversation;
  }

  get turns(): readonly ITurn[] {
    return this._turns;
  }

  get isRunning(): boolean {
    return this._answer.isRunning;
  }

  /** Why the conversations cannot be shown. */
  get error(): ErrorPayload | null {
    return this._error;
  }

  get channel(): ChannelState {
    return this._channel.state;
  }

  get isConnected(): boolean {
    return this.channel === 'open';
  }

  /** Who can answer, the embedded model first. */
  get providers(): readonly ProviderInfo[] {
    return this._list?.providers ?? [];
  }

  /** Who answers the next question. */
  get provider(): ProviderInfo | undefined {
    const id = this._provider === '' ? this._list?.active : this._provider;
    return this.providers.find(one => one.id === id);
  }

  /** Id of the provider that was chosen here; empty for the active one. */
  get chosen(): string {
    return this._provider;
  }

  choose(id: string): void {
    this._provider = id;
    this._changed.emit();
  }

  /** Whether nothing of the next questions is kept. */
  get isPrivate(): boolean {
    return this._isPrivate;
  }

  setPrivate(isPrivate: boolean): void {
    this._isPrivate = isPrivate;
    this._changed.emit();
  }

  /** Whether types and columns of the variables that a question names go with it. */
  get usesVariables(): boolean {
    return this._usesVariables;
  }

  setUsesVariables(usesVariables: boolean): void {
    this._usesVariables = usesVariables;
    this._changed.emit();
  }

  /** List the conversations and the providers, from now on whenever they change. */
  async refresh(): Promise<void> {
    this._isWanted = true;
    // Without it the active provider answers, as it does where nothing is chosen.
    void this._channel.request('provider:list', {}).then(
      list => {
        this._takeProviders(list);
      },
      (reason: unknown) => {
        if (!(reason instanceof ChannelError)) {
          throw reason;
        }
      }
    );
    const found = await this._request(() =>
      this._channel.request('conversation:list', { limit: LISTED })
    );
    if (found) {
      this._conversations = found.conversations;
    }
    this._changed.emit();
  }

  /** Begin another conversation. */
  begin(): void {
    this._leave('', []);
  }

  async open(id: string): Promise<void> {
    const found = await this._request(() => this._channel.request('conversation:get', { id }));
    if (found) {
      this._leave(id, turnsOf(found));
    } else {
      this._changed.emit();
    }
  }

  /** Give a conversation a title by hand. */
  async rename(id: string, title: string): Promise<void> {
    const info = await this._request(() =>
      this._channel.request('conversation:rename', { id, title })
    );
    if (info) {
      this._conversations = this._conversations.map(one => (one.id === id ? info : one));
    }
    this._changed.emit();
  }

  async delete(id: string): Promise<void> {
    const deleted = await this._request(() => this._channel.request('conversation:delete', { id }));
    if (!deleted) {
      this._changed.emit();
      return;
    }
    if (id === this._conversation) {
      this.begin();
    }
    await this.refresh();
  }

  /** Show another of the turns at a place, with what follows it. */
  async show(index: number, id: string): Promise<void> {
    const before = this._turns;
    const found = await this._request(() =>
      this._channel.request('conversation:get', { id: this._conversation, turn: id })
    );
    if (this._turns !== before) {
      return;
    }
    const turns = found ? turnsOf(found) : this._replacedBy(index, id);
    if (turns) {
      this._error = null;
      this._remember(index);
      // What stays, and the place that is looked at, stay the same elements on the screen.
      this._turns = turns.map((turn, at) => {
        const shown = before[at];
        return shown && (at === index || shown.id === turn.id) ? { ...turn, key: shown.key } : turn;
      });
    }
    this._changed.emit();
  }

  /** Put something into the box of the next question. */
  draft(draft: IQuestionDraft): void {
    this._drafts.push(draft);
    this._drafted.emit();
  }

  /** What came for the box, also before there was one; it is handed out once. */
  takeDrafts(): IQuestionDraft[] {
    return this._drafts.splice(0);
  }

  ask(words: string, references: readonly Reference[]): void {
    const turns = this._turns.filter(({ id }) => id !== '');
    // One that came to nothing gives its place to this one.
    const nothing = this._turns.find(({ id }) => id === '');
    this._ask(turns, words, references, nothing?.alternatives);
  }

  /** Ask another question in the place of one, and forget on the screen what followed it. */
  edit(index: number, words: string): void {
    const turn = this._turns[index];
    if (turn) {
      this._remember(index);
      const before = this._turns.slice(0, index);
      this._ask(before, words, turn.references, versionsOf(turn), turn.isPrivate);
    }
  }

  /** Answer a question once more. */
  regenerate(index: number): void {
    const turn = this._turns[index];
    if (!turn) {
      return;
    }
    const before = this._turns.slice(0, index);
    const { parent, words, references } = turn;
    if (turn.id === '') {
      this._ask(before, words, references, turn.alternatives, turn.isPrivate);
    } else {
      this._remember(index);
      const isPrivate = this._isPrivate || turn.isPrivate;
      const again = asked(this._key(), parent, words, references, versionsOf(turn), isPrivate);
      this._start([...before, again], {
        conversation: this._conversation,
        regenerate: turn.id
      });
    }
  }

  stop(): void {
    this._answer.stop();
  }

  private _ask(
    before: readonly ITurn[],
    words: string,
    references: readonly Reference[],
    beside: readonly string[] = [],
    wasPrivate = false
  ): void {
    const parent = before.filter(({ id }) => id !== '').at(-1)?.id ?? '';
    const isPrivate = this._isPrivate || wasPrivate;
    const turn = asked(this._key(), parent, words, references, beside, isPrivate);
    this._start([...before, turn], {
      messages: [{ role: 'user', content: words }],
      references: [...references],
      ...(this._conversation === ''
        ? { conversation: 'new' }
        : { conversation: this._conversation, parent })
    });
  }

  private _start(turns: ITurn[], request: ChatRequest): void {
    this._error = null;
    this._turns = turns;
    const variables = this._usesVariables ? this._variables() : [];
    this._answer.start({
      ...request,
      origin: this._origin(),
      ...(variables.length > 0 && { variables: [...variables] }),
      ...(this._provider !== '' && { provider: this._provider }),
      ...(turns.at(-1)?.isPrivate && { private: true })
    });
  }

  private _leave(conversation: string, turns: ITurn[]): void {
    // What still comes is of the conversation that is left, and kept there.
    if (this._answer.isRunning) {
      this._answer.stop();
    }
    this._conversation = conversation;
    this._turns = turns;
    this._replaced.clear();
    this._error = null;
    this._isLeft = true;
    this._changed.emit();
  }

  private _onAnswer(): void {
    const { text, reasoning, state, done, error, provider } = this._answer;
    if (state === 'waiting') {
      this._isLeft = false;
    }
    const last = this._turns.at(-1);
    if (this._isLeft || !last) {
      return;
    }
    this._turns = [
      ...this._turns.slice(0, -1),
      {
        ...last,
        text,
        reasoning,
        state,
        error,
        provider,
        ...(done && ended(last, done, this._now()))
      }
    ];
    if (done && done.conversation !== '' && done.text !== '') {
      this._conversation = done.conversation;
    }
    this._changed.emit();
  }

  /** Something else comes in the place of a turn. */
  private _remember(index: number): void {
    const id = this._turns[index]?.id ?? '';
    if (id !== '') {
      this._replaced.set(id, this._turns);
    }
  }

  /** The turns as they were before something came in the place of one of them. */
  private _replacedBy(index: number, id: string): ITurn[] | undefined {
    const alternatives = this._turns[index]?.alternatives ?? [];
    return this._replaced
      .get(id)
      ?.map((turn, at) => (at === index ? { ...turn, alternatives } : turn));
  }

  private async _request<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      const found = await ask();
      this._error = null;
      return found;
    } catch (reason) {
      if (!(reason instanceof ChannelError)) {
        throw reason;
      }
      this._error = reason.payload;
      return null;
    }
  }

  private _takeProviders(list: ProviderList): void {
    this._list = list;
    if (!list.providers.some(({ id }) => id === this._provider)) {
      this._provider = '';
    }
    this._changed.emit();
  }

  private _refreshIfWanted(): void {
    if (this._isWanted && this.isConnected) {
      void this.refresh();
    }
  }

  private _key(): string {
    return `asked-${this._count++}`;
  }

  private readonly _answer: StreamedAnswer<'chat'>;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _drafted = new Signal<this, void>(this);
  private readonly _drafts: IQuestionDraft[] = [];
  private _conversations: readonly ConversationInfo[] = [];
  private _conversation = '';
  private _turns: readonly ITurn[] = [];
  /** By id of the turn that was replaced: the server remembers what it keeps, and here is what it does not. */
  private readonly _replaced = new Map<string, readonly ITurn[]>();
  private _error: ErrorPayload | null = null;
  private _list: ProviderList | null = null;
  private _provider = '';
  private _usesVariables = true;
  private _isPrivate = false;
  private _isLeft = false;
  /** Whether anybody looks: a page whose chat is never opened asks for no conversations. */
  private _isWanted = false;
  private _count = 0;
}

function turnsOf({ turns, alternatives }: Conversation): ITurn[] {
  return turns.map(turn => kept(turn, alternatives[turn.id]));
}
