/** The dialog behind the status-bar item: what the model runs on, how fast, and how much memory. */

import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import { Panel } from '@lumino/widgets';
import * as React from 'react';

import type { StatusModel } from './model';
import { detailRows } from './rows';
import { suggestionRows } from './suggestions';
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
    const { connection, worker, details, suggestions } = this._model;
    const { sentence } = statusText(connection, worker, this._trans);
    // The state moves by itself while the dialog is open; the numbers are those of the last answer.
    const rows =
      details && worker
        ? detailRows(
            { ...details, state: worker.state },
            worker.modelName,
            this._trans,
            undefined,
            worker.several.map(({ name }) => name)
          )
        : [];
    return (
      <>
        <p>{sentence}</p>
        {rows.length > 0 && (
          <dl>
            {[...rows, ...(suggestions ? suggestionRows(suggestions, this._trans) : [])].map(
              ({ name, value }) => (
                <React.Fragment key={name}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </React.Fragment>
              )
            )}
          </dl>
        )}
      </>
    );
  }
}

/** Show the details until the person closes them. */
export async function showDetails(model: StatusModel, trans: TranslationBundle): Promise<void> {
  void model.refresh();
  void model.refreshCounts();
  // With a React widget itself as its body, a dialog takes the focus only when the page is idle, and
  // the Escape key does nothing before that. A panel around it is plain, and the focus comes at once.
  const body = new Panel();
  body.addWidget(new Details(model, trans));
  await showDialog({
    title: trans.__('Local model'),
    body,
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}
