/** One command on one cell: what is asked, and what its answer becomes. */

import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';

import { Asking } from '../answers/asking';
import { codeOf, codeSoFar, fences } from '../answers/fences';
import { type IProvenance, provenance } from '../answers/provenance';
import type { Reference } from '../contract';
import type { IChannel } from '../tokens';
import { cellsAbove, insertBelow, languageOf, outputsOf, selectionOf, write } from './cell';
import { compose, type IComposed, type Obstacle } from './compose';
import { type CellCommand, CHANGES } from './names';
import type { Privacy } from './privacy';
import { Proposal } from './proposal';

export class Job {
  constructor(
    channel: Pick<IChannel, 'stream'>,
    readonly command: CellCommand,
    readonly panel: NotebookPanel,
    readonly cell: Cell,
    readonly privacy: Privacy
  ) {
    this.asking = new Asking(channel, 'generate');
    this.asking.changed.connect(() => {
      this._onAnswer();
    });
    cell.model.sharedModel.changed.connect(this._onCell);
    privacy.changed.connect(this._onPrivacy);
  }

  readonly asking: Asking<'generate'>;

  /** The change of the cell; null for a command that answers with text, and before the first start. */
  get proposal(): Proposal | null {
    return this._proposal;
  }

  /** What the person added so far. */
  get refinements(): readonly string[] {
    return this._refinements;
  }

  /** Whether the whole suggestion is there and may be put into the cell. */
  get isReady(): boolean {
    return this.asking.isComplete && this._proposal?.state === 'open' && !this._proposal.isEmpty;
  }

  /** What the clipboard gets: the code of a change, or the text. */
  get copyable(): string {
    const { text } = this.asking;
    return this._proposal ? codeOf(text, languageOf(this.panel)) : text;
  }

  /** Whether nothing is kept of the answer that is there, whatever is chosen for the next one. */
  get isPrivate(): boolean {
    return this._composed?.request.private ?? false;
  }

  /** The answer, the cell, the proposal or the choice of privacy moved. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What was asked about, and the answer, for a question about both. */
  references(title: string): Reference[] {
    const { request } = this._composed ?? {};
    const code: Reference = {
      kind: 'cell',
      name: title,
      text: request?.code ?? '',
      language: languageOf(this.panel)
    };
    const answer: Reference = { kind: 'text', name: title, text: this.asking.text };
    return [code, answer].filter(({ text }) => text !== '');
  }

  /** Ask, or ask again, about the cell as it is now; answers what is in the way, if anything. */
  start(): Obstacle | null {
    const { cell, panel } = this;
    const source = cell.model.sharedModel.getSource();
    // A selection is kept for another try, unless the text is another one.
    if (source !== this._source) {
      this._source = source;
      this._selection = selectionOf(cell);
    }
    const composed = compose(
      this.command,
      {
        source,
        ...this._selection,
        language: languageOf(panel),
        outputs: outputsOf(cell),
        isReadOnly: cell.readOnly,
        above: cellsAbove(panel, cell)
      },
      this._refinements
    );
    if (typeof composed === 'string') {
      return composed;
    }
    const { request } = composed;
    this._composed = this.privacy.isOn
      ? { ...composed, request: { ...request, private: true } }
      : composed;
    this._proposal = CHANGES.has(this.command) ? this._propose() : null;
    // Where it was asked is no part of what was asked, and does not go into the cell's metadata.
    const origin = { notebook: panel.context.path, cell: cell.model.id };
    this.asking.start({ ...this._composed.request, origin });
    return null;
  }

  refine(sentence: string): Obstacle | null {
    this._refinements.push(sentence);
    return this.start();
  }

  /** Put the answer into a new cell below: its code, where that is what was asked for. */
  insertBelow(): void {
    const { text } = this.asking;
    const record = this._record();
    if (!record) {
      return;
    }
    const isCode = this.command !== 'explain' && fences(text).length > 0;
    insertBelow(
      this.panel,
      this.cell,
      isCode ? 'code' : 'markdown',
      isCode ? codeOf(text, languageOf(this.panel)) : text,
      record
    );
  }

  dispose(): void {
    this.cell.model.sharedModel.changed.disconnect(this._onCell);
    this.privacy.changed.disconnect(this._onPrivacy);
    this.asking.dispose();
    Signal.clearData(this);
  }

  /** Whence the text came; null before it has come to its end. */
  private _record(): IProvenance | null {
    const { done } = this.asking;
    return done && this._composed && provenance(done, new Date(), this._composed.request);
  }

  private _propose(): Proposal {
    const shared = this.cell.model.sharedModel;
    const proposal = new Proposal({
      get source() {
        return shared.getSource();
      },
      write: source => {
        write(this.cell, source, this._record());
      }
    });
    proposal.changed.connect(({ state }) => {
      if (state === 'rejected' || state === 'stale') {
        this.asking.stop();
      }
      this._changed.emit();
    });
    return proposal;
  }

  private _onAnswer(): void {
    const { text, isRunning } = this.asking;
    if (this._proposal && this._composed) {
      const language = languageOf(this.panel);
      const code = isRunning ? codeSoFar(text, language) : codeOf(text, language);
      this._proposal.suggest(this._composed.apply(code, !isRunning));
    }
    this._changed.emit();
  }

  private readonly _onCell = (): void => {
    this._proposal?.check();
  };

  private readonly _onPrivacy = (): void => {
    this._changed.emit();
  };

  private readonly _changed = new Signal<this, void>(this);
  private readonly _refinements: string[] = [];
  private _source: string | null = null;
  private _selection = { anchor: 0, head: 0 };
  private _composed: IComposed | null = null;
  private _proposal: Proposal | null = null;
}
