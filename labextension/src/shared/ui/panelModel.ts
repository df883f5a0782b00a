/** A model of a sidebar panel: data of the service, and the state of the actions of a user. */

import { ChannelModel } from '../connection/channelModel';
import type { Translate } from '../text/translate';
import type { IChannel } from '../tokens';
import { ActionState } from './actionState';

export abstract class PanelModel extends ChannelModel {
  constructor(
    channel: IChannel,
    protected readonly _trans: Translate,
    isVisible?: () => boolean,
    pauseMs?: number
  ) {
    super(channel, isVisible, pauseMs);
    this.actionState = new ActionState(channel);
    this.actionState.changed.connect(this._emitChanged);
  }

  /** Running actions and their results, by the id of what they act on. */
  readonly actionState: ActionState;

  /** Whether there is something to show: the service has answered once. */
  abstract get isKnown(): boolean;

  /** The last message for screen readers. */
  get spoken(): string {
    return this.actionState.spoken;
  }
}
