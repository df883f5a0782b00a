/**
 * What is known of the models, the settings and the worker: kept up to date by the channel, shown by
 * the panels, changed by what a person asks for.
 *
 * The service is the one that knows. Events move what is shown at once; after each end of something the
 * list is asked for again, so that no tab goes on with what it has guessed.
 */

import {
  type BackendState,
  CODES,
  type IOperations,
  type License,
  type LoadedModel,
  managerText,
  type ModelInfo,
  type ModelList,
  type ModelStateEvent,
  type SettingsUpdateRequest,
  type SettingsView,
  type WorkerState
} from '../contract';
import { residents } from '../shared/service/residents';
import type { Translate } from '../shared/text/translate';
import type { IChannel, RequestName } from '../shared/tokens';
import { GENERAL, IMPORT } from '../shared/ui/actionState';
import { PanelModel } from '../shared/ui/panelModel';
import { answering, type IModelView, modelView } from './view';
import { spokenText } from './words';

export class ModelsModel extends PanelModel {
  constructor(channel: IChannel, trans: Translate) {
    super(channel, trans);
    this._subscribe('model:state', event => {
      this._onModel(event);
    });
    this._subscribe('backend:state', state => {
      this._onBackend(state);
    });
    this._subscribe('settings:changed', view => {
      this._onSettings(view);
    });
    this._onChannel();
  }

  get isKnown(): boolean {
    return this._list !== null && this._settings !== null;
  }

  /** Null until the service has told it. */
  get list(): ModelList | null {
    return this._list;
  }

  get settings(): SettingsView | null {
    return this._settings;
  }

  get backend(): BackendState | null {
    return this._backend;
  }

  /** All models, with what is under way. The same object as before where nothing has changed. */
  get models(): readonly IModelView[] {
    const answers = answering(this._list, this._settings);
    return (this._list?.models ?? []).map(info => {
      const event = this._underWay.get(info.id);
      const fresh = modelView(info, event, this._backend, answers);
      const before = this._views.get(info.id);
      if (before && isSame(before, fresh)) {
        return before;
      }
      this._views.set(info.id, fresh);
      return fresh;
    });
  }

  /** Imports under way whose model is not in the list yet. */
  get imports(): readonly ModelStateEvent[] {
    const known = new Set(this._list?.models.map(({ id }) => id));
    return [...this._underWay.values()].filter(({ id }) => !known.has(id));
  }

  /** What the service answered when this tab had a model loaded. */
  loadOf(id: string): LoadedModel | undefined {
    return this._loads.get(id);
  }

  licenseOf(info: ModelInfo): License | undefined {
    return this._list?.licenses.find(({ id }) => id === info.license);
  }

  /** The licence that a person has to accept before a download; nothing where it is accepted already. */
  async licenseToAccept(info: ModelInfo): Promise<License | undefined> {
    const license = this.licenseOf(info);
    if (!license || info.license_accepted) {
      return undefined;
    }
    // It may just have been accepted in another tab, or by another program.
    await this.refresh();
    const fresh = this._list?.models.find(({ id }) => id === info.id) ?? info;
    return fresh.license_accepted ? undefined : license;
  }

  nameOf(id: string): string {
    return this._list?.models.find(one => one.id === id)?.name ?? id;
  }

  // What a person asks for. None of these rejects: what goes wrong becomes a note at the model.

  /** Begin or go on with a download; `license` is the digest of the text that was accepted. */
  download(id: string, license = '', update = false): Promise<boolean> {
    const request = { id, allow_download: true, accept_license: license, update };
    return this._try(id, 'model:ensure', request);
  }

  /** Stop what is under way; what a download has got so far is kept. */
  stop(id: string): Promise<boolean> {
    return this._try(id, 'model:cancelDownload', { id });
  }

  discard(id: string): Promise<boolean> {
    return this._try(id, 'model:cancelDownload', { id, discard: true });
  }

  verify(id: string): Promise<boolean> {
    this._verifying.add(id);
    return this._try(id, 'model:verify', { id });
  }

  pin(id: string, pinned: boolean): Promise<boolean> {
    return this._try(id, 'model:pin', { id, pinned });
  }

  load(id: string, force = false): Promise<boolean> {
    return this._try(id, 'model:load', { id, force }, loaded => {
      this._loads.set(id, loaded);
    });
  }

  /** Free what a model holds, or all. */
  unload(id: string | null = null): Promise<boolean> {
    return this._try(id ?? this._backend?.model ?? GENERAL, 'model:unload', { id });
  }

  delete(id: string, force: boolean): Promise<boolean> {
    return this._try(id, 'model:delete', { id, force });
  }

  async export(id: string, path: string): Promise<boolean> {
    return this._try(id, 'model:export', { id, path }, ({ path: written }) => {
      this.actionState.say(id, managerText('written-to', this._trans, written));
    });
  }

  /** Take a file in; answers the id that it got, or null where it was refused. */
  async import(path: string, id: string | null, link: boolean): Promise<string | null> {
    let imported: string | null = null;
    await this._try(IMPORT, 'model:import', { path, id, link }, info => {
      imported = info.id;
      this.actionState.say(IMPORT, managerText('imported', this._trans, info.name));
    });
    return imported;
  }

  /**
   * Change settings. They are shown as chosen at once, and as they were where that is refused, which is
   * noted under `place`.
   */
  async change(changes: SettingsUpdateRequest, place = GENERAL): Promise<boolean> {
    const before = this._settings;
    if (before) {
      // A setting that is given back takes a value that only the service knows.
      const known = Object.entries(changes).filter(([, value]) => value !== null);
      const settings = { ...before.settings, ...Object.fromEntries(known) };
      this._settings = { ...before, settings };
    }
    const isDone = await this._try(place, 'settings:update', changes, view => {
      this._onSettings(view);
    });
    if (!isDone && before && this._settings) {
      this._settings = before;
      this._emitChanged();
    }
    return isDone;
  }

  protected async _load(): Promise<void> {
    const [list, settings, status] = await Promise.all([
      this._channel.request('model:list', {}),
      this._settings ?? this._channel.request('settings:get', {}),
      this._backend ?? this._channel.request('backend:ping', {})
    ]);
    this._list = list;
    this._settings ??= settings;
    this._backend ??= status;
    this._emitChanged();
  }

  protected override _resetServerState(): void {
    // Another one knows nothing of what was under way, either.
    this._settings = null;
    this._backend = null;
    this._underWay.clear();
  }

  private async _try<K extends RequestName>(
    id: string,
    op: K,
    request: IOperations[K]['request'],
    done: (answer: IOperations[K]['response']) => void = () => undefined
  ): Promise<boolean> {
    const answer = await this.actionState.tryTo(id, op, request, error => {
      // What is cancelled was so by the person, who knows it.
      if (error.code !== CODES.CANCELED) {
        this.actionState.fail(id, error);
      }
    });
    if (answer !== null) {
      done(answer);
      this._emitChanged();
    }
    void this.refresh();
    return answer !== null;
  }

  private _onModel(event: ModelStateEvent): void {
    if (event.activity !== '') {
      this._underWay.set(event.id, event);
      this._emitChanged();
      return;
    }
    // What ends without having begun is another matter, such as that its version was pinned just before.
    const hasEnded = this._underWay.delete(event.id) && this._verifying.delete(event.id);
    const isVerified = hasEnded && event.state === 'ready' && !event.error;
    const spoken = spokenText(event, this.nameOf(event.id), this._trans);
    if (isVerified) {
      this.actionState.say(event.id, this._trans.__('Verified: the digest is correct.'));
    } else if (spoken) {
      this.actionState.speak(spoken);
    }
    const { state, received_bytes, error } = event;
    this._patch(event.id, { state, received_bytes, error, activity: '' });
    this._emitChanged();
    void this.refresh();
  }

  private _onBackend(state: BackendState): void {
    if (this._backend && state.generation < this._backend.generation) {
      return; // Late news of a worker that is gone.
    }
    const before = this._backend;
    this._backend = state;
    if (before && calm(before) === calm(state)) {
      return; // Each completion makes the worker busy and ready again, which changes nothing here.
    }
    if (['ready', 'stopped', 'failed'].includes(state.state)) {
      void this.refresh();
    }
    this._emitChanged();
  }

  private _onSettings(view: SettingsView): void {
    this._settings = view;
    this._emitChanged();
    void this.refresh();
  }

  private _patch(id: string, change: Partial<ModelInfo>): void {
    if (this._list) {
      const models = this._list.models.map(one => (one.id === id ? { ...one, ...change } : one));
      this._list = { ...this._list, models };
    }
  }

  private readonly _underWay = new Map<string, ModelStateEvent>();
  /** What this tab has asked for, and whose end it tells. */
  private readonly _verifying = new Set<string>();
  private readonly _views = new Map<string, IModelView>();
  private readonly _loads = new Map<string, LoadedModel>();
  private _list: ModelList | null = null;
  private _settings: SettingsView | null = null;
  private _backend: BackendState | null = null;
}

/** What of the worker's state matters to who looks at models. */
function calm(backend: BackendState): string {
  const rest = (state: WorkerState): WorkerState => (state === 'busy' ? 'ready' : state);
  const all = residents(backend).map(({ model, state }) => `${model} ${rest(state)}`);
  // With two in memory, the one that was used last changes with each request.
  const last = all.length > 1 ? [] : [rest(backend.state), backend.model];
  return [backend.generation, ...last, ...all, backend.residency].join('\n');
}

/** Whether two views show the same. They are plain data that came out of JSON. */
function isSame(one: IModelView, other: IModelView): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
