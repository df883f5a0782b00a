/** The dialog behind the status-bar item: what the model runs on, how fast, and how much memory. */

import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { StatusModel } from './model';
import { detailRows } from './rows';
import { statusText } from './text';

class Details extends ReactWidget {
  constructor(
    private readonly _model: StatusModel,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-LocalCoder-Details');
  }

  protected override render(): React.JSX.Element {
    return <UseSignal signal={this._model.changed}>{() => this._content()}</UseSignal>;
  }

  private _content(): React.JSX.Element {
    const { channel, worker, details } = this._model;
    const { sentence } = statusText(channel, worker, this._trans);
    // The state moves by itself while the dialog is open; the numbers are those of the last answer.
    const rows =
      details && worker
        ? detailRows({ ...details, state: worker.state }, worker.modelName, this._trans)
        : [];
    return (
      <>
        <p>{sentence}</p>
        {rows.length > 0 && (
          <dl>
            {rows.map(({ name, value }) => (
              <React.Fragment key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </React.Fragment>
            ))}
          </dl>
        )}
      </>
    );
  }
}

/** Show the details until the person closes them. */
export async function showDetails(model: StatusModel, trans: TranslationBundle): Promise<void> {
  void model.refresh();
  await showDialog({
    title: trans.__('Local model'),
    body: new Details(model, trans),
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}
