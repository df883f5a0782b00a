/**
 * The history as a page of it is looked at: a list or what a search has found, and the answer that is
 * open. It follows the service's events; what nobody looks at is not asked for.
 */

import type {
  Excerpt,
  HistoryChanged,
  ProviderInfo,
  Response,
  ResponseInfo,
  ResponsesExported,
  SettingsView,
  TitleConfig,
  TitleConfigSetRequest,
  TitleStatus
} from '../contract';
import type { Translate } from '../shared/text/translate';
import type { IChannel } from '../shared/tokens';
import { GENERAL } from '../shared/ui/actionState';
import { PanelModel } from '../shared/ui/panelModel';
import { deletedText, exportedText } from './words';

export const PAGE = 20;
/** Id in `ActionState`: how titles are made. */
export const TITLES = ' titles';
/** Answers can come fast; a list that is read need not. */
const PAUSE_MS = 300;

export interface IHistoryRow {
  info: ResponseInfo;
  /** Where the words stand that were looked for; empty in a list. */
  excerpt: readonly Excerpt[];
}

export interface IHistoryPage {
  rows: readonly IHistoryRow[];
  offset: number;
  /** Null for a search, which does not count. */
  total: number | null;
  /** Whether there are older ones. */
  hasMore: boolean;
  /** What was looked for; empty for the list of all. */
  query: string;
}

export class HistoryModel extends PanelModel {
  constructor(channel: IChannel, trans: Translate, isVisible: () => boolean, pauseMs = PAUSE_MS) {
    super(channel, trans, isVisible, pauseMs);
    this._subscribe('history:changed', event => {
      this._onChanged(event);
    });
    this._subscribe('title:status', event => {
      this._onTitle(event);
    });
    this._subscribe('settings:changed', view => {
      this._setSettings(view);
      if (this._titles) {
        void this.openTitles();
      }
    });
    this._subscribe('providers:changed', () => {
      if (this._titles) {
        // One that is deleted makes no more titles.
        void this.openTitles();
      }
    });
  }

  get isKnown(): boolean {
    return this._page !== null;
  }

  /** Null until the service has told it. */
  get page(): IHistoryPage | null {
    return this._page;
  }

  /** What is looked for: it may be on its way. */
  get query(): string {
    return this._query;
  }

  /** The answer that is open. */
  get opened(): Response | null {
    return this._opened;
  }

  /** Null until the service has told it. */
  get settings(): SettingsView | null {
    return this._settings;
  }

  /** How titles are made; null until somebody wants to know. */
  get titles(): TitleConfig | null {
    return this._titles;
  }

  /** Who could make titles; empty until somebody wants to know. */
  get providers(): readonly ProviderInfo[] {
    return this._providers;
  }

  /** Whether a title for this answer is being made. */
  isTitlePending(id: string): boolean {
    return this._pending.has(id);
  }

  // What a person asks for. None of these rejects: what goes wrong becomes a note.

  /** Look for words in prompts, answers and titles; none of them lists all. */
  async search(query: string): Promise<void> {
    this._query = query.trim();
    this._offset = 0;
    await this.refresh();
    const shown = this._page?.rows.length ?? 0;
    if (this._query !== '' && this._page?.query === this._query) {
      this.actionState.speak(
        this._page.hasMore
          ? this._trans.__('Results: more than %1', shown)
          : this._trans.__('Results: %1', shown)
      );
    }
  }

  /** Turn to the page that begins with the answer of this number, from 0. */
  async turnTo(offset: number): Promise<void> {
    this._offset = Math.max(0, offset);
    await this.refresh();
  }

  async open(id: string): Promise<boolean> {
    const response = await this.actionState.ask(id, 'response:get', { id });
    if (!response) {
      // Its file may be gone: the list says so when it is asked for.
      await this.refresh();
      return false;
    }
    this._opened = response;
    this._emitChanged();
    return true;
  }

  close(): void {
    this._opened = null;
    this._emitChanged();
  }

  async rename(id: string, title: string): Promise<boolean> {
    const info = await this.actionState.ask(id, 'title:set', { id, title });
    this._patch(info);
    return info !== null;
  }

  /** Have a title made by the model that makes them. */
  async retitle(id: string): Promise<boolean> {
    const info = await this.actionState.ask(id, 'title:generate', { id });
    this._patch(info);
    if (info) {
      this.actionState.speak(this._trans.__('The title is now: %1', info.title));
    }
    return info !== null;
  }

  /** Find out how titles are made, and who could make them. */
  async openTitles(): Promise<void> {
    const [config, list] = await Promise.all([
      this.actionState.ask(TITLES, 'title:config:get', {}),
      this.actionState.ask(TITLES, 'provider:list', {})
    ]);
    if (config && list) {
      this._titles = config;
      this._providers = list.providers;
      this._emitChanged();
    }
  }

  /** Change how titles are made. */
  async makeTitles(change: TitleConfigSetRequest): Promise<boolean> {
    const config = await this.actionState.ask(TITLES, 'title:config:set', change);
    if (config) {
      this._titles = config;
      this.actionState.say(
        TITLES,
        config.enabled
          ? this._trans.__('Title settings saved.')
          : this._trans.__('Titles are turned off.')
      );
    }
    return config !== null;
  }

  async delete(id: string): Promise<boolean> {
    const isDone = (await this.actionState.ask(id, 'response:delete', { id })) !== null;
    if (isDone) {
      this._forget(id);
      this.actionState.speak(this._trans.__('The answer is deleted.'));
      await this.refresh();
    }
    return isDone;
  }

  async deleteAll(): Promise<void> {
    const answer = await this.actionState.ask(GENERAL, 'response:deleteAll', { all: true });
    if (answer) {
      this._opened = null;
      this._offset = 0;
      this.actionState.say(GENERAL, deletedText(answer.count, this._trans));
    }
    await this.refresh();
  }

  /** Export one answer or all, to a folder of the service or, with none, into the answer. */
  async export(id: string | null, path = ''): Promise<ResponsesExported | null> {
    const about = id ?? GENERAL;
    const exported = await this.actionState.ask(about, 'response:export', { id, path });
    if (exported && exported.path !== '') {
      this.actionState.say(about, exportedText(exported.count, exported.path, this._trans));
    }
    return exported;
  }

  /** Keep answers from now on, or none. */
  async keep(history: boolean): Promise<void> {
    const before = this._settings;
    if (before) {
      // Shown as chosen at once, and as it was where that is refused.
      this._setSettings({ ...before, settings: { ...before.settings, history } });
    }
    const view = await this.actionState.ask(GENERAL, 'settings:update', { history });
    if (view ?? before) {
      this._settings = view ?? before;
      this._emitChanged();
    }
  }

  protected async _load(): Promise<void> {
    this._settings ??= await this._channel.request('settings:get', {});
    const page = await this._askPage(this._query, this._offset);
    if (page.rows.length === 0 && page.offset > 0) {
      // What stood there is deleted.
      this._offset = Math.max(0, page.offset - PAGE);
      this._page = await this._askPage(this._query, this._offset);
    } else {
      this._page = page;
    }
    // Somebody else may have given the open answer another title.
    this._patch(page.rows.find(({ info }) => info.id === this._opened?.id)?.info ?? null);
    this._emitChanged();
  }

  private async _askPage(query: string, offset: number): Promise<IHistoryPage> {
    if (query !== '') {
      const request = { query, limit: PAGE, offset };
      const { found, more } = await this._channel.request('response:search', request);
      const rows = found.map(({ response, excerpt }) => ({ info: response, excerpt }));
      return { rows, offset, total: null, hasMore: more, query };
    }
    const request = { limit: PAGE, offset };
    const { responses, total } = await this._channel.request('response:getHistory', request);
    const rows = responses.map(info => ({ info, excerpt: [] }));
    return { rows, offset, total, hasMore: offset + PAGE < total, query };
  }

  protected override _resetServerState(): void {
    this._settings = null;
    this._pending.clear();
    if (this._titles && this._channel.state === 'open') {
      void this.openTitles();
    }
  }

  private _onChanged({ reason, response_id }: HistoryChanged): void {
    if (reason === 'deleted' && response_id !== '') {
      this._forget(response_id);
    }
    if (this._isVisible()) {
      void this.refresh();
    }
  }

  private _onTitle({ response_id, status, title }: TitleStatus): void {
    if (status === 'pending') {
      this._pending.add(response_id);
    } else {
      this._pending.delete(response_id);
      const known = this._page?.rows.find(({ info }) => info.id === response_id)?.info;
      const info = this._opened?.id === response_id ? this._opened : known;
      const source = status === 'completed' ? 'generated' : info?.title_source;
      this._patch(info && source ? { ...info, title, title_source: source } : null);
      if (status === 'completed' && this._titles && this._titles.problem !== '') {
        // What was in the way is not there any more.
        void this.openTitles();
      }
    }
    this._emitChanged();
  }

  private _setSettings(view: SettingsView): void {
    this._settings = view;
    this._emitChanged();
  }

  private _patch(info: ResponseInfo | null): void {
    if (!info) {
      return;
    }
    const { id, title, title_source } = info;
    if (this._opened?.id === id) {
      this._opened = { ...this._opened, title, title_source };
    }
    if (this._page) {
      const rows = this._page.rows.map(row =>
        row.info.id === id ? { ...row, info: { ...row.info, title, title_source } } : row
      );
      this._page = { ...this._page, rows };
    }
    this._emitChanged();
  }

  private _forget(id: string): void {
    this._pending.delete(id);
    if (this._opened?.id === id) {
      this._opened = null;
      this._emitChanged();
    }
  }

  private readonly _pending = new Set<string>();
  private _page: IHistoryPage | null = null;
  private _opened: Response | null = null;
  private _settings: SettingsView | null = null;
  private _titles: TitleConfig | null = null;
  private _providers: readonly ProviderInfo[] = [];
  private _query = '';
  private _offset = 0;
}
