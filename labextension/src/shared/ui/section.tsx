/**
 * What all tabs of the sidebar share: they speak, they say where there is no connection, and what they
 * show is kept fresh while somebody looks.
 */

import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

import type { ChannelState } from '../tokens';
import { awayText } from './away';
import { FocusKeeper } from './focus';

/** What a tab shows. */
export interface ISectionModel {
  readonly channel: ChannelState;
  /** Whether the service has told it. */
  readonly isKnown: boolean;
  /** What a screen reader is to say last. */
  readonly spoken: string;
  readonly changed: ISignal<unknown, void>;
  refresh(): Promise<void>;
}

export abstract class SectionPanel<M extends ISectionModel> extends ReactWidget {
  /** @param _refreshMs What changes without an event is asked for this often while somebody looks. */
  constructor(
    protected readonly model: M,
    protected readonly trans: TranslationBundle,
    private readonly _refreshMs: number
  ) {
    super();
    this.addClass('jp-LocalCoder-Panel');
    this.node.tabIndex = -1;
    new FocusKeeper(this.node);
  }

  /** What stands below the words on the connection. */
  protected abstract content(): React.ReactNode;

  protected override render(): React.JSX.Element {
    return <UseSignal signal={this.model.changed}>{() => this._all()}</UseSignal>;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._watch();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) {
      this._watch();
    }
  }

  protected override onBeforeHide(message: Message): void {
    super.onBeforeHide(message);
    clearInterval(this._timer);
  }

  protected override onBeforeDetach(message: Message): void {
    super.onBeforeDetach(message);
    clearInterval(this._timer);
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.focus();
  }

  private _watch(): void {
    clearInterval(this._timer);
    void this.model.refresh();
    this._timer = setInterval(() => {
      if (document.visibilityState === 'visible') {
        void this.model.refresh();
      }
    }, this._refreshMs);
  }

  private _all(): React.JSX.Element {
    const { model, trans } = this;
    return (
      <>
        {/* Apart from all that it speaks of, and there from the start: only so is it heard. */}
        <span role="status" aria-live="polite" className="jp-LocalCoder-spoken">
          {model.spoken}
        </span>
        {(!model.isKnown || model.channel !== 'open') && <p>{awayText(model.channel, trans)}</p>}
        {this.content()}
      </>
    );
  }

  private _timer: ReturnType<typeof setInterval> | undefined;
}
