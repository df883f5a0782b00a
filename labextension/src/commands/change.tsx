/** A change of a cell that is there already, whole: a diff to accept or to reject. */

import { Clipboard } from '@jupyterlab/apputils';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import * as React from 'react';

import { CellWriter } from '../shared/notebook/cellWriter';
import { Buttons, Head } from './bar';
import { CellPanel } from './cellPanel';
import { Proposal } from './proposal';
import { Trial } from './trial';
import { changeView, type CommandAction, type ICommandView } from './view';

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
    const writer = new CellWriter(notebook, cell);
    this._writer = writer;
    this._proposal = this._follow(
      new Proposal({
        get source() {
          return writer.source;
        },
        refusal: (before, after) => writer.refusal(before, after),
        write: (before, after) => writer.write(before, after, record)
      })
    );
    this._proposal.suggest(source);
    this._trial = new Trial(() => notebook.sessionContext.session?.kernel ?? null);
    this._trial.changed.connect(() => {
      this._moved.emit();
    });
    this.addWidget(this.part(this._moved, () => this._head()));
    this.addWidget(this.part(this._moved, () => this._buttons()));
    this._refresh();
    writer.shared.changed.connect(this._check);
    notebook.context.fileChanged.connect(this._check);
    notebook.context.model.stateChanged.connect(this._check);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      super.dispose();
      const { context } = this._options.notebook;
      this._writer.shared.changed.disconnect(this._check);
      context.fileChanged.disconnect(this._check);
      context.model.stateChanged.disconnect(this._check);
      this._trial.dispose();
      Signal.clearData(this._proposal);
    }
  }

  protected override actions(): readonly CommandAction[] {
    return this._view().actions;
  }

  protected override act(action: CommandAction): void {
    const proposal = this._proposal;
    if (action === 'accept') {
      proposal.accept();
    } else if (action === 'reject') {
      proposal.reject();
    } else if (action === 'try') {
      void this._trial.start(proposal.original, proposal.suggested);
      this.node.focus();
    } else if (action === 'stop-trial') {
      this._trial.stop();
      this.node.focus();
    } else if (action === 'compare') {
      this._proposal = this._follow(proposal.renewed());
      this._refresh();
      this.node.focus();
    } else if (action === 'copy') {
      Clipboard.copyToSystem(this._options.source);
    } else if (action === 'close') {
      this.close();
    }
  }

  private _follow(proposal: Proposal): Proposal {
    proposal.changed.connect(() => {
      // One that was renewed is not looked at any more.
      if (proposal === this._proposal) {
        this._refresh();
      }
    });
    return proposal;
  }

  private _view(): ICommandView {
    const { state, refusal, canRenew } = this._proposal;
    return changeView(
      {
        proposal: state,
        hunks: this.hunks,
        refusal,
        canCompare: canRenew,
        isTrying: this._trial.isRunning
      },
      this._options.trans
    );
  }

  private _head(): React.JSX.Element {
    const { title, model, trans } = this._options;
    return <Head {...{ title, model, trans }} view={this._view()} trial={this._trial.outcome} />;
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
    if (this._proposal.state !== 'open') {
      this._trial.stop();
    }
    this._trial.show(this._proposal.original, this._proposal.suggested);
    this.showChange(this._proposal, this._proposal.refusal === null);
    this._moved.emit();
  }

  private readonly _check = (): void => {
    this._proposal.check();
  };

  private readonly _moved = new Signal<this, void>(this);
  private readonly _trial: Trial;
  private readonly _writer: CellWriter;
  private _proposal: Proposal;
}
