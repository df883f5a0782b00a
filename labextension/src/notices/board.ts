/**
 * What the server wants a person to know: shown once, and taken away when it holds no longer.
 *
 * The server tells a notice when it comes about and never again, so that a page that is loaded anew
 * shows none of the old ones.
 */

import { DisposableSet, type IDisposable } from '@lumino/disposable';

import { type BackendState, CODES } from '../contract';
import { residents } from '../shared/service/residents';
import type { Translate } from '../shared/text/translate';
import { ChannelError, type IChannel } from '../shared/tokens';
import {
  FAILED,
  failedView,
  type INoticeView,
  noticeView,
  profileKey,
  refusedView,
  takenView,
  takingView,
  type Way
} from './view';

/** Where notifications are shown. */
export interface IShelf {
  /** Show one, in place of the one of the same key. */
  show(view: INoticeView): void;
  /** Take one away, if it is there. */
  clear(key: string): void;
  openModels(): void;
}

export class NoticeBoard implements IDisposable {
  constructor(
    private readonly _channel: IChannel,
    private readonly _shelf: IShelf,
    private readonly _trans: Translate
  ) {
    this._subscriptions.add(
      _channel.on('notice', notice => {
        _shelf.show(noticeView(notice));
      })
    );
    this._subscriptions.add(
      _channel.on('backend:state', state => {
        this._onBackend(state);
      })
    );
    this._subscriptions.add(
      _channel.on('settings:changed', ({ settings }) => {
        _shelf.clear(profileKey(settings.profile));
      })
    );
  }

  get isDisposed(): boolean {
    return this._subscriptions.isDisposed;
  }

  dispose(): void {
    this._subscriptions.dispose();
  }

  /** Take the way out that a notice offers. What the service refuses is shown. */
  async take(key: string, way: Way): Promise<void> {
    this._shelf.clear(key);
    if (way.kind === 'models') {
      this._shelf.openModels();
      return;
    }
    const taken = `taken ${key}`;
    this._shelf.show(takingView(taken, way, this._trans));
    try {
      const view =
        way.kind === 'load'
          ? await this._load(taken, way.model)
          : await this._use(taken, way.profile);
      this._shelf.show(view);
    } catch (reason) {
      this._shelf.clear(taken);
      if (!(reason instanceof ChannelError)) {
        throw reason;
      }
      if (reason.code !== CODES.CANCELED) {
        this._shelf.show(refusedView(taken, reason.payload));
      }
    }
  }

  private async _load(key: string, model: string): Promise<INoticeView> {
    await this._channel.request('model:load', { id: model, force: false });
    return takenView(key, this._trans.__('%1 is loaded.', model));
  }

  private async _use(key: string, profile: string): Promise<INoticeView> {
    // Models of one's own choice would go before those of the profile.
    const chosenNone = { model: null, general_model: null };
    await this._channel.request('settings:update', { profile, ...chosenNone });
    const { profiles, models } = await this._channel.request('model:list', {});
    const chosen = profiles.find(({ name }) => name === profile)?.model;
    const info = models.find(({ id }) => id === chosen);
    if (info && info.state !== 'ready') {
      const missing = this._trans.__(
        '%1 is selected. Its model is not on this machine yet: download %2.',
        profile,
        info.name
      );
      return takenView(key, missing, { kind: 'models' });
    }
    return takenView(key, this._trans.__('%1 is selected.', profile));
  }

  private _onBackend(state: BackendState): void {
    const failed = residents(state).find(one => one.state === 'failed');
    const hasFailed = failed !== undefined;
    if (failed && !this._hasFailed) {
      this._shelf.show(failedView(failed, this._trans));
    } else if (!hasFailed) {
      this._shelf.clear(FAILED);
    }
    this._hasFailed = hasFailed;
  }

  private readonly _subscriptions = new DisposableSet();
  private _hasFailed = false;
}
