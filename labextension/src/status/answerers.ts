/** The providers of answers and of completions, by their display names: kept up to date by the channel. */

import { EMBEDDED, type ProviderList, type SettingsView } from '../contract';
import { ChannelModel } from '../shared/connection/channelModel';
import type { IChannel } from '../shared/tokens';

export interface IAnswerer {
  readonly name: string;
  /** The provider's name for its model; empty if none is configured. */
  readonly model: string;
}

/** Null means the embedded model, which is also assumed until the server has answered. */
export interface IAnswerers {
  /** For commands, chats and queued prompts. */
  readonly questions: IAnswerer | null;
  /** For code completion. */
  readonly completion: IAnswerer | null;
}

export class Answerers extends ChannelModel {
  constructor(channel: IChannel) {
    super(channel);
    this._subscribe('providers:changed', list => {
      this._providersEvents++;
      this._list = list;
      this._emitChanged();
    });
    this._subscribe('settings:changed', settings => {
      this._settingsEvents++;
      this._settings = settings;
      this._emitChanged();
    });
    this._onChannel();
  }

  get current(): IAnswerers {
    const { _list: list, _settings: settings } = this;
    return {
      questions: this._find(list?.active),
      completion: this._find(settings?.settings.completion_provider)
    };
  }

  protected async _load(): Promise<void> {
    const providersEvents = this._providersEvents;
    const settingsEvents = this._settingsEvents;
    const [list, settings] = await Promise.all([
      this._channel.request('provider:list', {}),
      this._channel.request('settings:get', {})
    ]);
    // An event that arrived during the request is newer than its response.
    if (providersEvents === this._providersEvents) {
      this._list = list;
    }
    if (settingsEvents === this._settingsEvents) {
      this._settings = settings;
    }
    this._emitChanged();
  }

  protected override _resetServerState(): void {
    this._list = null;
    this._settings = null;
  }

  private _find(id: string | undefined): IAnswerer | null {
    if (id === undefined || id === EMBEDDED) {
      return null;
    }
    const provider = this._list?.providers.find(one => one.id === id);
    return { name: provider?.name ?? id, model: provider?.model ?? '' };
  }

  private _list: ProviderList | null = null;
  private _settings: SettingsView | null = null;
  private _providersEvents = 0;
  private _settingsEvents = 0;
}
