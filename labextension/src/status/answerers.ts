/** Who answers and who completes, by the names that people know: kept up to date by the channel. */

import { DisposableSet, type IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { EMBEDDED, type ProviderList, type SettingsView } from '../contract';
import type { IChannel } from '../shared/tokens';

export interface IAnswerer {
  readonly name: string;
  /** As its provider calls it; empty where none is configured. */
  readonly model: string;
}

/** Null: the model on this machine; it is also taken to be so until the server has said it. */
export interface IAnswerers {
  /** Commands, chats and queued prompts. */
  readonly questions: IAnswerer | null;
  /** While somebody types. */
  readonly completion: IAnswerer | null;
}

export class Answerers implements IDisposable {
  constructor(channel: IChannel) {
    this._channel = channel;
    this._subscriptions.add(
      channel.on('providers:changed', list => {
        this._providersHeard++;
        this._take({ list });
      })
    );
    this._subscriptions.add(
      channel.on('settings:changed', settings => {
        this._settingsHeard++;
        this._take({ settings });
      })
    );
    channel.stateChanged.connect(this._onChannel);
    this._onChannel();
  }

  get current(): IAnswerers {
    const { _list: list, _settings: settings } = this;
    return {
      questions: this._find(list?.active),
      completion: this._find(settings?.settings.completion_provider)
    };
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._subscriptions.isDisposed;
  }

  dispose(): void {
    this._subscriptions.dispose();
    this._channel.stateChanged.disconnect(this._onChannel);
    Signal.clearData(this);
  }

  private readonly _onChannel = (): void => {
    if (this._channel.state === 'open') {
      void this._ask();
    } else {
      // The next server may be another one.
      this._list = null;
      this._settings = null;
      this._changed.emit();
    }
  };

  private async _ask(): Promise<void> {
    const providersHeard = this._providersHeard;
    const settingsHeard = this._settingsHeard;
    try {
      const [list, settings] = await Promise.all([
        this._channel.request('provider:list', {}),
        this._channel.request('settings:get', {})
      ]);
      // What was told meanwhile is newer than an answer that was made before.
      this._take({
        ...(providersHeard === this._providersHeard ? { list } : {}),
        ...(settingsHeard === this._settingsHeard ? { settings } : {})
      });
    } catch {
      // The connection was lost, or the answer was a refusal: nothing is known.
    }
  }

  private _take(news: { list?: ProviderList; settings?: SettingsView }): void {
    this._list = news.list ?? this._list;
    this._settings = news.settings ?? this._settings;
    this._changed.emit();
  }

  private _find(id: string | undefined): IAnswerer | null {
    if (id === undefined || id === EMBEDDED) {
      return null;
    }
    const provider = this._list?.providers.find(one => one.id === id);
    return { name: provider?.name ?? id, model: provider?.model ?? '' };
  }

  private readonly _channel: IChannel;
  private readonly _subscriptions = new DisposableSet();
  private readonly _changed = new Signal<this, void>(this);
  private _list: ProviderList | null = null;
  private _settings: SettingsView | null = null;
  private _providersHeard = 0;
  private _settingsHeard = 0;
}
