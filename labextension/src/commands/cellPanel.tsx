/** A panel below the input of a cell, and the diff in the place of its editor. */

import { Notification } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import { Panel, type PanelLayout, type Widget } from '@lumino/widgets';
import * as React from 'react';

import { FocusKeeper } from '../shared/ui/focus';
import { DiffView } from './diff';
import type { Proposal } from './proposal';
import { type ICellSnapshot, removalReason } from './removalReason';
import type { CommandAction } from './view';
import { removalText } from './words';

/** On the cell, while its text stands in the diff and not in its editor. */
const DIFFING_CLASS = 'jp-LocalCoder-mod-diffing';

export interface ICellPanelOptions {
  notebook: NotebookPanel;
  cell: Cell;
  /** What it is about, for who does not see it. */
  name: string;
  languages: IEditorLanguageRegistry;
  trans: TranslationBundle;
}

export abstract class CellPanel extends Panel {
  constructor(private readonly _place: ICellPanelOptions) {
    super();
    const { cell, name, trans } = _place;
    this.addClass('jp-LocalCoder-Command');
    this.node.tabIndex = -1;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('LocalCoder: %1', name));
    // Enter on a button must not be taken for the notebook's command to edit the cell.
    this.node.dataset.lmSuppressShortcuts = 'true';
    this._focus = new FocusKeeper(this.node);
    this._shared = cell.model.sharedModel;
    this._standing = standingOf(cell);
    this._shared.changed.connect(this._onCell);
    cell.disposed.connect(this._onCellGone);
  }

  /** Put it below the input of the cell, in the place of one that is there. */
  open(): void {
    const layout = this._place.cell.layout as PanelLayout;
    for (const widget of [...layout.widgets]) {
      if (widget instanceof CellPanel) {
        widget.dispose();
      }
    }
    const input = layout.widgets.findIndex(({ node }) =>
      node.classList.contains('jp-Cell-inputWrapper')
    );
    layout.insertWidget(input + 1, this);
    this.node.focus();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      super.dispose();
      this._shared.changed.disconnect(this._onCell);
      this._place.cell.disposed.disconnect(this._onCellGone);
      this._place.cell.removeClass(DIFFING_CLASS);
    }
  }

  handleEvent(event: KeyboardEvent): void {
    const actions = this.actions();
    const wish: readonly CommandAction[] =
      event.key === 'Escape'
        ? ['stop', 'stop-trial', 'reject', 'close']
        : event.key === 'Enter' && (event.ctrlKey || event.metaKey)
          ? ['accept']
          : [];
    const action = wish.find(one => actions.includes(one));
    if (action) {
      event.preventDefault();
      this.act(action);
    }
    // The cell would take the keys for its own.
    event.stopPropagation();
  }

  /** What can be done now. */
  protected abstract actions(): readonly CommandAction[];
  protected abstract act(action: CommandAction): void;

  /** Places in which what is shown differs from the cell. */
  protected get hunks(): number {
    return this._diff?.hunks ?? 0;
  }

  /** Show what a change has become; hunks get their buttons when it `isReady`. It closes what is decided. */
  protected showChange(proposal: Proposal, isReady: boolean): void {
    if (proposal.state === 'accepted' || proposal.state === 'rejected') {
      this.close();
      return;
    }
    if (proposal !== this._shown) {
      this._diff?.dispose();
      this._diff = null;
      this._shown = proposal;
    }
    const { cell, notebook, languages, trans } = this._place;
    const isShown = proposal.state === 'open' && (!proposal.isEmpty || this._diff !== null);
    if (isShown) {
      const mimeType = notebook.content.codeMimetype;
      this._diff ??= this.insertContent(new DiffView(proposal, trans, languages, mimeType));
    }
    this._diff?.refresh(isReady);
    this._diff?.setHidden(!isShown);
    cell.toggleClass(DIFFING_CLASS, isShown);
  }

  /** Put something between the head and the buttons. */
  protected insertContent<T extends Widget>(widget: T): T {
    this.insertWidget(1, widget);
    return widget;
  }

  protected part(changed: ISignal<unknown, unknown>, render: () => React.JSX.Element): ReactWidget {
    return ReactWidget.create(<UseSignal signal={changed}>{() => render()}</UseSignal>);
  }

  protected override onCloseRequest(): void {
    const { cell, notebook } = this._place;
    const hadFocus = this._focus.isHeld;
    this.dispose();
    if (hadFocus && !cell.isDisposed && !notebook.isDisposed) {
      notebook.content.mode = 'edit';
      cell.editor?.focus();
    }
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.node.addEventListener('keydown', this);
  }

  protected override onBeforeDetach(message: Message): void {
    this.node.removeEventListener('keydown', this);
    super.onBeforeDetach(message);
  }

  /**
   * JupyterLab has taken the cell away, and this panel goes with it. That happens while JupyterLab brings its
   * screen in line with the document: an error here would leave the two apart.
   */
  private readonly _onCellGone = (): void => {
    const { cell, notebook, name, trans } = this._place;
    const { content } = notebook;
    const others = content.widgets.filter(one => one !== cell);
    const hadFocus = this._focus.isHeld;
    this.dispose();
    // What the person closes goes without a word.
    if (notebook.isDisposed || content.isDisposed) {
      return;
    }
    // When all of the change is done: what stands in the place of the cell comes after this.
    queueMicrotask(() => {
      if (content.isDisposed) {
        return;
      }
      const stay = others.some(one => !one.isDisposed);
      const reason = removalReason(this._standing, content.widgets.map(standingOf), stay);
      // Without a time it would stand in the list of notifications alone, and not be spoken.
      Notification.info(removalText(reason, name, trans), { autoClose: 10_000 });
      if (hadFocus) {
        content.activate();
      }
    });
  };

  private readonly _onCell = (): void => {
    this._standing = { ...this._standing, source: this._shared.getSource() };
  };

  private readonly _focus: FocusKeeper;
  private readonly _shared: Cell['model']['sharedModel'];
  private _standing: ICellSnapshot;
  private _diff: DiffView | null = null;
  private _shown: Proposal | null = null;
}

function standingOf({ model }: Cell): ICellSnapshot {
  return { id: model.id, type: model.type, source: model.sharedModel.getSource() };
}
