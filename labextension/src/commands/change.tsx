/** A change of a cell that is there already, whole: a diff to accept or to reject. */

import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import * as React from 'react';

import { Buttons, Head } from './bar';
import { write } from './cell';
import { CellPanel } from './cellPanel';
import { Proposal } from './proposal';
import { type Action, changeView, type ICommandView } from './view';

export interface IChangeOptions {
  notebook: NotebookPanel;
  cell: Cell;
  /** What the cell is to say. */
  source: string;
  /** Whence it came: kept with the cell. */
  record: object;
  title: string;
  /** Id of the model that wrote it. */
  model: string;
  languages: IEditorLanguageRegistry;
  trans: TranslationBundle;
}

export class ChangePanel extends CellPanel {
  constructor(private readonly _options: IChangeOptions) {
    const { notebook, cell, title, languages, trans, source, record } = _options;
    super({ notebook, cell, name: title, languages, trans });
    const shared = cell.model.sharedModel;
    this._proposal = new Proposal({
      get source() {
        return shared.getSource();
      },
      write: text => {
        write(cell, text, record);
      }
    });
    this._proposal.suggest(source);
    const { changed } = this._proposal;
    this.addWidget(this.part(changed, () => this._head()));
    this.addWidget(this.part(changed, () => this._buttons()));
    this._refresh();
    changed.connect(() => {
      this._refresh();
    });
    shared.changed.connect(this._check);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._options.cell.model.sharedModel.changed.disconnect(this._check);
      Signal.clearData(this._proposal);
      super.dispose();
    }
  }

  protected override actions(): readonly Action[] {
    return this._view().actions;
  }

  protected override act(action: Action): void {
    if (action === 'accept') {
      this._proposal.accept();
    } else if (action === 'reject') {
      this._proposal.reject();
    } else if (action === 'close') {
      this.close();
    }
  }

  private _view(): ICommandView {
    return changeView(this._proposal.state, this.hunks, this._options.trans);
  }

  private _head(): React.JSX.Element {
    return <Head title={this._options.title} view={this._view()} model={this._options.model} />;
  }

  private _buttons(): React.JSX.Element {
    return (
      <Buttons
        actions={this.actions()}
        onAction={action => {
          this.act(action);
        }}
        trans={this._options.trans}
      />
    );
  }

  private _refresh(): void {
    this.showChange(this._proposal, true);
  }

  private readonly _check = (): void => {
    this._proposal.check();
  };

  private readonly _proposal: Proposal;
}
