/** What of the page a chat can refer to, and where code of an answer can go. */

import { Notification } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { IEditorTracker } from '@jupyterlab/fileeditor';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { KernelVariable, Origin, Reference } from '../contract';
import type { ICodeBlock } from '../shared/answers/fences';
import type { IProvenance } from '../shared/answers/provenance';
import { languageOf, selectionOf } from '../shared/notebook/cell';
import { CellWriter, type IRefusal } from '../shared/notebook/cellWriter';
import { hasError, hasText, outputsOf, textOf, tracebackOf } from '../shared/notebook/outputs';
import { place } from '../shared/notebook/place';
import { refusalSentence } from '../shared/notebook/refusalText';
import type { IChannel, ICompletion } from '../shared/tokens';
import { lazyLoad } from '../shared/ui/lazyLoad';
import {
  described,
  fileAt,
  type IFileEntry,
  type IOffers,
  type ISuggestion,
  pathOf,
  writtenMentions
} from './mention';

/** A larger file is refused: no context window holds it. */
const MOST_BYTES = 400_000;

export class PageContext {
  constructor(
    private readonly _tracker: INotebookTracker,
    private readonly _contents: Contents.IManager,
    private readonly _channel: Pick<IChannel, 'request'>,
    private readonly _completion: ICompletion | null,
    private readonly _languages: IEditorLanguageRegistry,
    private readonly _trans: TranslationBundle,
    private readonly _files: IEditorTracker | null = null
  ) {}

  get offers(): IOffers {
    const { currentWidget: panel, activeCell: cell } = this._tracker;
    const failed = this._failedCell();
    return {
      cell: panel && cell ? this._cellName(panel, cell) : '',
      hasSelection: this._selection() !== '',
      output: panel && cell && hasText(cell) ? this._cellName(panel, cell) : '',
      error: panel && failed ? this._cellName(panel, failed) : '',
      variables: this.variables
    };
  }

  /** Where a question comes from. */
  get origin(): Origin {
    const { currentWidget: panel, activeCell: cell } = this._tracker;
    return { notebook: panel?.context.path ?? '', cell: cell?.model.id ?? '' };
  }

  /** What the kernel of the current notebook has told of its variables, never their values. */
  get variables(): readonly KernelVariable[] {
    const session = this._tracker.currentWidget?.sessionContext;
    return session && this._completion ? this._completion.variablesOf(session) : [];
  }

  /** Whether code can go into a notebook now. */
  get hasCell(): boolean {
    return this._tracker.currentWidget !== null && this._tracker.activeCell !== null;
  }

  async files(folder: string): Promise<IFileEntry[]> {
    const found = await this._contents.get(folder, { content: true, type: 'directory' });
    return (found.content as Contents.IModel[]).map(({ path, type }) => ({
      path,
      isFolder: type === 'directory'
    }));
  }

  /** The text behind a suggestion, as it is now; rejects with a sentence where there is none. */
  async resolve({ kind, name }: ISuggestion): Promise<Reference> {
    if (kind === 'file') {
      return this._file(name);
    }
    const { currentWidget: panel, activeCell: cell } = this._tracker;
    if (kind === 'variable') {
      const variable = this.variables.find(one => one.name === name);
      if (variable) {
        return { kind, name, text: described(variable) };
      }
    } else if (panel && (kind === 'output' || kind === 'error')) {
      const from = kind === 'error' ? this._failedCell() : cell;
      const outputs = from ? outputsOf(from) : [];
      const text = kind === 'error' ? (tracebackOf(outputs) ?? '') : textOf(outputs);
      if (from && text !== '') {
        return { kind, name: this._cellName(panel, from), text };
      }
    } else if (panel && cell) {
      const isCode = cell.model.type === 'code';
      const text = kind === 'selection' ? this._selection() : cell.model.sharedModel.getSource();
      if (text.trim() !== '') {
        const language = isCode ? languageOf(panel) : '';
        return { kind, name: this._cellName(panel, cell), text, language };
      }
    }
    throw new Error(this._trans.__('No content for @%1.', name ? `${kind}:${name}` : kind));
  }

  /**
   * What a question names by hand, written out instead of chosen from the list.
   *
   * Rejects with a sentence where it names something that is not there.
   */
  async written(words: string): Promise<Reference[]> {
    const found: Reference[] = [];
    for (const { kind, name } of writtenMentions(words)) {
      const suggestion = { kind, name, label: kind, detail: '', isOpen: false };
      if (kind === 'file') {
        const { folder } = pathOf(`file:${/^\S*/.exec(name)?.[0] ?? ''}`) ?? { folder: '' };
        const path = fileAt(name, await this.files(folder));
        if (path === null) {
          throw new Error(this._trans.__('There is no file “%1” on this server.', name));
        }
        suggestion.name = path;
      }
      found.push(await this.resolve(suggestion));
    }
    return found;
  }

  /** Put code into a new cell below the current one. It is not run. */
  async insert(block: ICodeBlock, record: IProvenance): Promise<void> {
    const { currentWidget: notebook, activeCell: cell } = this._tracker;
    if (!notebook || !cell) {
      return;
    }
    const source = await place(this._channel, block, languageOf(notebook));
    this._tell(
      typeof source === 'string'
        ? new CellWriter(notebook, cell).insertBelow('code', source, record)
        : source
    );
  }

  /** Show beside the current cell what code in the place of its text would change, to accept or to reject. */
  async replace(block: ICodeBlock, record: IProvenance): Promise<void> {
    const { currentWidget: notebook, activeCell: cell } = this._tracker;
    // Apart, so that a page in which no cell is changed does not load what shows a change.
    const loaded = await lazyLoad(() => import('../commands/change'), this._trans);
    if (!loaded || !notebook || !cell || cell.isDisposed) {
      return;
    }
    const trans = this._trans;
    const writer = new CellWriter(notebook, cell);
    const before = writer.source;
    // Only code cells have magics.
    const isCode = cell.model.type === 'code';
    const source =
      writer.refusal(before, block.code) ??
      (isCode ? await place(this._channel, block, languageOf(notebook), before) : block.code);
    // It may have been changed, locked or removed in the meantime.
    const refusal = typeof source === 'string' ? writer.refusal(before, source) : source;
    if (refusal || typeof source !== 'string') {
      this._tell(refusal);
      return;
    }
    if (before === source) {
      Notification.info(trans.__('The cell already has this code.'), { autoClose: 6000 });
      return;
    }
    new loaded.ChangePanel({
      notebook,
      cell,
      source,
      record,
      title: trans.__('Replace the cell'),
      model: record.model,
      languages: this._languages,
      trans
    }).open();
  }

  /** Why something was not written. */
  private _tell(refusal: IRefusal | null): void {
    if (refusal) {
      Notification.warning(refusalSentence(refusal, this._trans), { autoClose: 6000 });
    }
  }

  private async _file(path: string): Promise<Reference> {
    const shown = this._shown(path);
    if (shown) {
      this._check(path, shown.text.length);
      return shown;
    }
    const about = await this._contents.get(path, { content: false });
    this._check(path, about.size ?? 0);
    if (about.type === 'notebook') {
      const found = await this._contents.get(path, { type: 'notebook', content: true });
      return { kind: 'file', name: path, text: sourcesOf(found.content as INotebookText) };
    }
    const found = await this._contents.get(path, {
      type: 'file',
      format: 'text',
      content: true
    });
    return { kind: 'file', name: path, text: String(found.content), language: suffixOf(path) };
  }

  /** A file as its editor shows it, saved or not; null where it is not open. */
  private _shown(path: string): Reference | null {
    const isIt = ({ context }: { context: DocumentRegistry.Context }): boolean =>
      context.path === path && context.isReady;
    const notebook = this._tracker.find(isIt);
    if (notebook) {
      const cells = notebook.content.widgets.map(({ model }) => ({
        source: model.sharedModel.getSource()
      }));
      return { kind: 'file', name: path, text: sourcesOf({ cells }) };
    }
    const file = this._files?.find(isIt);
    return file
      ? {
          kind: 'file',
          name: path,
          text: file.content.model.sharedModel.getSource(),
          language: suffixOf(path)
        }
      : null;
  }

  private _check(path: string, size: number): void {
    if (size > MOST_BYTES) {
      throw new Error(this._trans.__('%1 is too large for a model to read.', path));
    }
  }

  private _selection(): string {
    const cell = this._tracker.activeCell;
    if (!cell) {
      return '';
    }
    const { anchor, head } = selectionOf(cell);
    const source = cell.model.sharedModel.getSource();
    return source.slice(Math.min(anchor, head), Math.max(anchor, head));
  }

  /** The current cell where it has failed, else the last one of the notebook that has. */
  private _failedCell(): Cell | null {
    const { currentWidget: panel, activeCell } = this._tracker;
    if (activeCell && hasError(activeCell)) {
      return activeCell;
    }
    const cells = [...(panel?.content.widgets ?? [])];
    return cells.reverse().find(cell => hasError(cell)) ?? null;
  }

  private _cellName(panel: NotebookPanel, cell: Cell): string {
    return this._trans.__('cell %1', panel.content.widgets.indexOf(cell) + 1);
  }
}

function suffixOf(path: string): string {
  return /\.(\w+)$/.exec(path)?.[1] ?? '';
}

/** The part of a notebook file (nbformat 4) that is read. */
interface INotebookText {
  cells: { source: string | string[] }[];
}

/** The texts of the cells, without their outputs. */
function sourcesOf({ cells }: INotebookText): string {
  return cells
    .map(({ source }) => (Array.isArray(source) ? source.join('') : source))
    .filter(source => source.trim() !== '')
    .join('\n\n');
}
