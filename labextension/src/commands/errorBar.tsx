/** Two buttons below the output of a cell that ends with an error: fix it, or explain it. */

import type { CodeCell } from '@jupyterlab/cells';
import type { Notebook, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { PanelLayout } from '@lumino/widgets';
import * as React from 'react';

import { hasError } from '../shared/notebook/outputs';

/** What a button asks for. */
export type ErrorCommand = 'fix' | 'explain';
type OnCommand = (command: ErrorCommand, cell: CodeCell) => void;

/** An error is the last thing that a cell puts out; what hooks display behind it is not much. */
const LOOKED_AT = 5;

/** Keeps the buttons at the cells of a notebook. */
export class ErrorBars {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _onCommand: OnCommand,
    private readonly _trans: TranslationBundle
  ) {
    const { content } = _panel;
    content.modelChanged.connect(this._onModel);
    this._onModel(content);
  }

  private readonly _onModel = (content: Notebook): void => {
    content.model?.cells.changed.connect(() => {
      // The cells have their widgets when all of it is told.
      queueMicrotask(() => {
        this._look();
      });
    });
    this._look();
  };

  private _look(): void {
    const { content } = this._panel;
    if (content.isDisposed) {
      return;
    }
    for (const cell of content.widgets) {
      if (cell.model.type === 'code' && !this._followed.has(cell as CodeCell)) {
        this._follow(cell as CodeCell);
      }
    }
  }

  private _follow(cell: CodeCell): void {
    this._followed.add(cell);
    const show = (): void => {
      this._show(cell);
    };
    cell.model.outputs.changed.connect(show);
    cell.disposed.connect(() => this._bars.delete(cell));
    // A cell that was never in view has no parts yet.
    void cell.ready.then(show);
  }

  private _show(cell: CodeCell): void {
    const bar = this._bars.get(cell);
    const isWanted = !cell.isDisposed && !cell.isPlaceholder() && hasError(cell, LOOKED_AT);
    if (isWanted && !bar) {
      const made = new ErrorBar(cell, this._onCommand, this._trans);
      const layout = cell.layout as PanelLayout;
      const output = layout.widgets.findIndex(({ node }) =>
        node.classList.contains('jp-Cell-outputWrapper')
      );
      if (output < 0) {
        return;
      }
      layout.insertWidget(output + 1, made);
      this._bars.set(cell, made);
    } else if (!isWanted && bar) {
      this._bars.delete(cell);
      bar.dispose();
    }
  }

  private readonly _followed = new WeakSet<CodeCell>();
  private readonly _bars = new WeakMap<CodeCell, ErrorBar>();
}

class ErrorBar extends ReactWidget {
  constructor(
    private readonly _cell: CodeCell,
    private readonly _onCommand: OnCommand,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-LocalCoder-ErrorBar');
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', _trans.__('LocalCoder: error of this cell'));
    // Enter on a button must not be taken for the notebook's command to edit the cell.
    this.node.dataset.lmSuppressShortcuts = 'true';
  }

  protected render(): React.JSX.Element {
    const trans = this._trans;
    return (
      <>
        {this._button('fix', trans.__('Fix error'), trans.__('Suggest a fix for this error'))}
        {this._button('explain', trans.__('Explain error'), trans.__('Explain this error'))}
      </>
    );
  }

  private _button(command: ErrorCommand, label: string, help: string): React.JSX.Element {
    return (
      <button
        type="button"
        data-action={`${command}-error`}
        className="jp-LocalCoder-button"
        title={help}
        onClick={() => {
          this._onCommand(command, this._cell);
        }}
      >
        {label}
      </button>
    );
  }
}
