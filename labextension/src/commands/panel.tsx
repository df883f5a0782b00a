/** The panel of a command, below the input of its cell: the answer, and what can be done with it. */

import { Clipboard, Notification } from '@jupyterlab/apputils';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Panel, type PanelLayout } from '@lumino/widgets';
import * as React from 'react';

import { MarkdownView } from '../answers/markdown';
import type { IChat } from '../chat/token';
import { Buttons, Head } from './bar';
import type { Obstacle } from './compose';
import { DiffView } from './diff';
import type { Job } from './job';
import { wordsOf } from './names';
import { type Action, type ICommandView, viewOf } from './view';
import { obstacleSentence } from './words';

/** On the cell, while its text stands in the diff and not in its editor. */
const DIFFING_CLASS = 'jp-LocalCoder-mod-diffing';

export interface ICommandPanelOptions {
  job: Job;
  rendermime: IRenderMimeRegistry;
  languages: IEditorLanguageRegistry;
  /** Where to go on asking; null where there is no chat. */
  chat: IChat | null;
  trans: TranslationBundle;
}

export class CommandPanel extends Panel {
  constructor(private readonly _options: ICommandPanelOptions) {
    super();
    const { job, trans } = _options;
    this._job = job;
    this._title = wordsOf(job.command, trans).label;
    this.addClass('jp-LocalCoder-Command');
    this.node.tabIndex = -1;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('LocalCoder: %1', this._title));
    // Enter on a button must not be taken for the notebook's command to edit the cell.
    this.node.dataset.lmSuppressShortcuts = 'true';
    this.addWidget(this._part(() => this._head()));
    this.addWidget(this._part(() => this._buttons()));
    job.changed.connect(() => {
      this._refresh();
    });
    job.cell.disposed.connect(() => {
      this.dispose();
    });
  }

  /** Whether the person closed it; false where it went with its cell. */
  get isClosed(): boolean {
    return this._isClosed;
  }

  /** Put it below the input of the cell, and begin. */
  open(): void {
    const layout = this._job.cell.layout as PanelLayout;
    const input = layout.widgets.findIndex(({ node }) =>
      node.classList.contains('jp-Cell-inputWrapper')
    );
    layout.insertWidget(input + 1, this);
    this.node.focus();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._job.dispose();
    this._job.cell.removeClass(DIFFING_CLASS);
    super.dispose();
  }

  handleEvent(event: KeyboardEvent): void {
    const actions = this._view().actions;
    const wish: readonly Action[] =
      event.key === 'Escape'
        ? ['stop', 'reject', 'close']
        : event.key === 'Enter' && (event.ctrlKey || event.metaKey)
          ? ['accept']
          : [];
    const action = wish.find(one => actions.includes(one));
    if (action) {
      event.preventDefault();
      this._act(action);
    }
    // The cell would take the keys for its own.
    event.stopPropagation();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.node.addEventListener('keydown', this);
  }

  protected override onBeforeDetach(message: Message): void {
    this.node.removeEventListener('keydown', this);
    super.onBeforeDetach(message);
  }

  private _part(render: () => React.JSX.Element): ReactWidget {
    return ReactWidget.create(<UseSignal signal={this._job.changed}>{() => render()}</UseSignal>);
  }

  private _view(): ICommandView {
    const { asking, proposal } = this._job;
    return viewOf(
      {
        asking: asking.state,
        proposal: proposal?.state,
        hunks: this._diff?.hunks ?? 0,
        hasText: asking.text !== '',
        hasChat: this._options.chat !== null,
        done: asking.done,
        error: asking.error
      },
      this._options.trans
    );
  }

  private _head(): React.JSX.Element {
    return (
      <Head title={this._title} view={this._view()} model={this._job.asking.done?.model.id ?? ''} />
    );
  }

  private _buttons(): React.JSX.Element {
    return (
      <Buttons
        actions={this._view().actions}
        onAction={action => {
          this._act(action);
        }}
        onRefine={sentence => {
          this._again(this._job.refine(sentence));
        }}
        trans={this._options.trans}
      />
    );
  }

  private _act(action: Action): void {
    const job = this._job;
    switch (action) {
      case 'stop':
        job.asking.stop();
        break;
      case 'accept':
        job.proposal?.accept();
        break;
      case 'reject':
        job.proposal?.reject();
        break;
      case 'retry':
        this._again(job.start());
        break;
      case 'copy':
        Clipboard.copyToSystem(job.copyable);
        break;
      case 'insert':
        job.insertBelow();
        break;
      case 'chat':
        this._options.chat?.compose('', job.references(this._title));
        break;
      case 'close':
        this._close();
    }
  }

  /** It was asked again, or something is in the way: then what there was stays. */
  private _again(obstacle: Obstacle | null): void {
    if (obstacle) {
      Notification.warning(obstacleSentence(obstacle, this._options.trans), { autoClose: 6000 });
    }
    this.node.focus();
  }

  private _close(): void {
    const { cell, panel } = this._job;
    this._isClosed = true;
    const hadFocus = this.node.contains(document.activeElement);
    this.dispose();
    if (hadFocus && !cell.isDisposed && !panel.isDisposed) {
      panel.content.mode = 'edit';
      cell.editor?.focus();
    }
  }

  private _refresh(): void {
    const { proposal, asking, cell } = this._job;
    if (proposal?.state === 'accepted' || proposal?.state === 'rejected') {
      this._close();
      return;
    }
    if (!proposal) {
      this._markdown ??= this._insert(new MarkdownView(this._options.rendermime));
      this._markdown.setText(asking.text);
      return;
    }
    if (proposal !== this._shown) {
      this._diff?.dispose();
      this._diff = null;
      this._shown = proposal;
    }
    const isShown = proposal.state === 'open' && (!proposal.isEmpty || this._diff !== null);
    if (isShown && !this._diff) {
      const { trans, languages } = this._options;
      const mimeType = this._job.panel.content.codeMimetype;
      this._diff = this._insert(new DiffView(proposal, trans, languages, mimeType));
    }
    this._diff?.refresh(this._job.isReady);
    this._diff?.setHidden(!isShown);
    cell.toggleClass(DIFFING_CLASS, isShown);
  }

  /** Between the head and the buttons. */
  private _insert<T extends MarkdownView | DiffView>(widget: T): T {
    this.insertWidget(1, widget);
    return widget;
  }

  private readonly _job: Job;
  private readonly _title: string;
  private _isClosed = false;
  private _markdown: MarkdownView | null = null;
  private _diff: DiffView | null = null;
  private _shown: Job['proposal'] = null;
}
