/** The item of the status bar: a button with the state, and a line that screen readers follow. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ICompletion } from '../shared/tokens';
import { logoIcon } from '../shared/ui/icons';
import type { Answerers } from './answerers';
import type { StatusModel } from './model';
import { statusText } from './text';

export class StatusItem extends ReactWidget {
  constructor(
    private readonly _model: StatusModel,
    private readonly _answerers: Answerers,
    private readonly _completion: ICompletion | null,
    private readonly _trans: TranslationBundle,
    private readonly _onClick: (button: HTMLElement) => void
  ) {
    super();
    this.addClass('jp-LocalCoder-StatusItem');
    _completion?.changed.connect(this._onChange);
    _answerers.changed.connect(this._onChange);
  }

  override dispose(): void {
    this._completion?.changed.disconnect(this._onChange);
    this._answerers.changed.disconnect(this._onChange);
    super.dispose();
  }

  protected override render(): React.JSX.Element {
    return <UseSignal signal={this._model.changed}>{() => this._content()}</UseSignal>;
  }

  private _content(): React.JSX.Element {
    const { connection, worker } = this._model;
    const { label, sentence, spoken, isWorking } = statusText(
      connection,
      worker,
      this._trans,
      this._completion,
      this._answerers.current
    );
    return (
      <>
        <button
          type="button"
          className="jp-LocalCoder-StatusItem-button"
          title={`${label}\n${sentence}`}
          aria-haspopup="menu"
          data-state={connection === 'open' ? (worker?.state ?? 'unknown') : connection}
          data-working={isWorking}
          onClick={event => {
            this._onClick(event.currentTarget);
          }}
        >
          <logoIcon.react
            tag="span"
            className="jp-LocalCoder-StatusItem-icon"
            elementSize="normal"
            aria-hidden
          />
          {isWorking && <span className="jp-LocalCoder-StatusItem-spinner" aria-hidden />}
          <span className="jp-StatusBar-TextItem jp-LocalCoder-StatusItem-label">{label}</span>
        </button>
        {/* Apart from the button: a live region must not be a control, and it stays calm while busy. */}
        <span role="status" aria-live="polite" className="jp-LocalCoder-spoken">
          {spoken}
        </span>
      </>
    );
  }

  private readonly _onChange = (): void => {
    this.update();
  };
}
