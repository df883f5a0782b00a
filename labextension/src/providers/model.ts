/**
 * What is known of the providers: kept up to date by the channel, shown by the panel, changed by what a
 * person asks for. No key is in it: one that is entered passes through, and is not kept.
 */

import {
  EMBEDDED,
  type ErrorPayload,
  type ProviderInfo,
  type ProviderKind,
  type ProviderList,
  type ProviderSaveRequest,
  type ProviderTested,
  type SettingsView
} from '../contract';
import type { Translate } from '../shared/text/translate';
import type { IChannel } from '../shared/tokens';
import { GENERAL } from '../shared/ui/actionState';
import { PanelModel } from '../shared/ui/panelModel';
import { testedText } from './words';

/** Id in `ActionState`: the form, which shows for itself what came of it. */
const FORM = ' form';
/** Id in `ActionState`: the choice of who completes. */
export const COMPLETES = ' completes';

export class ProvidersModel extends PanelModel {
  constructor(channel: IChannel, trans: Translate) {
    super(channel, trans);
    this._subscribe('providers:changed', list => {
      this._take(list);
    });
    this._subscribe('settings:changed', view => {
      this._onSettings(view);
    });
  }

  get isKnown(): boolean {
    return this._list !== null;
  }

  /** Null until the service has told it. */
  get list(): ProviderList | null {
    return this._list;
  }

  /** Null until the service has told them. */
  get settings(): SettingsView | null {
    return this._settings;
  }

  /** Whether the air gap shuts out all but the embedded one. */
  get airGap(): boolean {
    return this._settings?.settings.air_gap ?? false;
  }

  /** Whether this one completes while somebody types. */
  isCompleting(id: string): boolean {
    return this._settings?.settings.completion_provider === id;
  }

  find(id: string): ProviderInfo | undefined {
    return this._list?.providers.find(one => one.id === id);
  }

  /** The kinds that a person can add. */
  get kinds(): readonly ProviderKind[] {
    return (this._list?.kinds ?? []).filter(({ type }) => type !== EMBEDDED);
  }

  /** What the last test of a provider has shown, as long as that is what it still is. */
  tested(id: string): ProviderTested | undefined {
    return this._tests.get(id)?.tested;
  }

  get isSaving(): boolean {
    return this.actionState.isBusy(FORM);
  }

  // What a person asks for. None of these rejects: what goes wrong becomes a note at the provider.

  /** Let it answer requests that name no other. */
  async activate(id: string): Promise<boolean> {
    const list = await this.actionState.ask(id, 'provider:setActive', { id });
    if (list) {
      this._take(list);
      this.actionState.speak(this._trans.__('%1 is now the active provider.', this._nameOf(id)));
    }
    return list !== null;
  }

  /** Let it complete while somebody types. */
  async completeBy(id: string): Promise<boolean> {
    const view = await this.actionState.ask(COMPLETES, 'settings:update', {
      completion_provider: id
    });
    if (view) {
      this._onSettings(view);
      this.actionState.speak(this._trans.__('%1 now completes while you type.', this._nameOf(id)));
    }
    return view !== null;
  }

  async test(id: string): Promise<void> {
    this._tests.delete(id);
    this.actionState.speak(this._trans.__('Testing %1.', this._nameOf(id)));
    const tested = await this.actionState.ask(id, 'provider:test', { id });
    const provider = this.find(id);
    if (tested && provider) {
      this._tests.set(id, { tested, of: configured(provider) });
      this.actionState.speak(`${provider.name}: ${testedText(tested, provider, this._trans)}`);
    }
  }

  /** Answers why it was refused, or null where it is saved. */
  async save(request: ProviderSaveRequest): Promise<ErrorPayload | null> {
    let refusal: ErrorPayload | null = null;
    const saved = await this.actionState.tryTo(FORM, 'provider:save', request, error => {
      refusal = error;
      this.actionState.speak(`${error.message} ${error.recovery}`);
    });
    if (saved) {
      this.actionState.dismiss(saved.id);
      this._tests.delete(saved.id);
      this.actionState.speak(this._trans.__('%1 is saved.', saved.name));
      await this.refresh();
    }
    return refusal;
  }

  async setKey(id: string, key: string): Promise<void> {
    if (await this.actionState.ask(id, 'provider:setKey', { id, key })) {
      this._tests.delete(id);
      this.actionState.speak(this._trans.__('The key of %1 is saved.', this._nameOf(id)));
    }
  }

  async forgetKey(id: string): Promise<void> {
    if (await this.actionState.ask(id, 'provider:forgetKey', { id })) {
      this._tests.delete(id);
      this.actionState.speak(this._trans.__('The key of %1 is deleted.', this._nameOf(id)));
    }
  }

  /** Where it is the active one, the embedded one is made that first: the person was told. */
  async delete(id: string): Promise<boolean> {
    const name = this._nameOf(id);
    const isActive = this._list?.active === id;
    if (isActive && !(await this._answerByEmbedded(id))) {
      return false;
    }
    const deleted = await this.actionState.ask(id, 'provider:delete', { id });
    if (deleted) {
      this._tests.delete(id);
      // Its card is gone: what stands in for it is said above the others.
      const sentences = [
        this._trans.__('%1 is removed.', name),
        isActive
          ? this._trans.__('The embedded model now answers commands, chats and queued prompts.')
          : '',
        deleted.note
      ];
      this.actionState.say(GENERAL, sentences.filter(Boolean).join(' '));
      await this.refresh();
    }
    return deleted !== null;
  }

  protected async _load(): Promise<void> {
    const [list, settings] = await Promise.all([
      this._channel.request('provider:list', {}),
      this._areSettingsKnown ? null : this._channel.request('settings:get', {})
    ]);
    if (settings) {
      this._takeSettings(settings);
    }
    this._take(list);
  }

  protected override _resetServerState(): void {
    this._areSettingsKnown = false;
    this._tests.clear();
  }

  private async _answerByEmbedded(id: string): Promise<boolean> {
    const list = await this.actionState.ask(id, 'provider:setActive', { id: EMBEDDED });
    if (list) {
      this._take(list);
    }
    return list !== null;
  }

  private _take(list: ProviderList): void {
    this._list = list;
    for (const [id, { of }] of this._tests) {
      const provider = this.find(id);
      if (!provider || configured(provider) !== of) {
        this._tests.delete(id);
      }
    }
    this._emitChanged();
  }

  private _onSettings(view: SettingsView): void {
    const before = this.airGap;
    this._takeSettings(view);
    if (this.airGap !== before) {
      // What the service says of each provider is another sentence now.
      void this.refresh();
    }
  }

  private _takeSettings(view: SettingsView): void {
    this._settings = view;
    this._areSettingsKnown = true;
    this._emitChanged();
  }

  private _nameOf(id: string): string {
    return this.find(id)?.name ?? id;
  }

  private readonly _tests = new Map<string, { tested: ProviderTested; of: string }>();
  private _list: ProviderList | null = null;
  private _settings: SettingsView | null = null;
  private _areSettingsKnown = false;
}

/** What of a provider a test was about. */
function configured({ type, base_url, model, key }: ProviderInfo): string {
  return JSON.stringify([type, base_url, model, key]);
}
