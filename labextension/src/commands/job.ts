/** One command on one cell: what is asked, and what its answer becomes. */

import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Reference } from '../contract';
import { codeOf, codeSoFar, fences } from '../shared/answers/fences';
import { type IProvenance, provenance } from '../shared/answers/provenance';
import { StreamedAnswer } from '../shared/answers/streamedAnswer';
import { languageOf, selectionOf } from '../shared/notebook/cell';
import { CellWriter, type IRefusal } from '../shared/notebook/cellWriter';
import { outputsOf } from '../shared/notebook/outputs';
import type { IChannel, ICompletion } from '../shared/tokens';
import { cellsAbove, cellsBelow } from './cell';
import { compose, type IComposed, type Obstacle } from './compose';
import { type CellCommand, SHOWN_AS_CHANGES } from './names';
import type { Privacy } from './privacy';
import { Proposal } from './proposal';
import { isSplit } from './target';
import { Trial } from './trial';

/** What ended an answer that was still being written, where that was not the person's button. */
export type InterruptionCause = 'split' | 'kernel';

export class Job {
  constructor(
    private readonly _channel: Pick<IChannel, 'stream' | 'state'>,
    readonly command: CellCommand,
    readonly panel: NotebookPanel,
    readonly cell: Cell,
    readonly privacy: Privacy,
    private readonly _variablesOf: ICompletion['variablesOf'] = () => [],
    /** Whether it is about the error in the output of the cell, and not about its code alone. */
    private readonly _isAboutError = false
  ) {
    this.answer = new StreamedAnswer(_channel, 'generate');
    this.writer = new CellWriter(
      panel,
      cell,
      (...texts) => this._composed?.check?.(...texts) ?? ''
    );
    this._seen = this.writer.source;
    this.answer.changed.connect(() => {
      this._onAnswer();
    });
    this.writer.shared.changed.connect(this._onCell);
    panel.context.fileChanged.connect(this._onNotebook);
    panel.context.model.stateChanged.connect(this._onNotebook);
    panel.sessionContext.statusChanged.connect(this._onKernel);
    privacy.changed.connect(this._onPrivacy);
    this.trial = new Trial(() => panel.sessionContext.session?.kernel ?? null);
    this.trial.changed.connect(() => {
      this._changed.emit();
    });
  }

  readonly answer: StreamedAnswer<'generate'>;
  /** The way into the notebook. */
  readonly writer: CellWriter;

  /** Whether the change was tried in a copy of the notebook, and what came of it. */
  readonly trial: Trial;

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
    const { _proposal: proposal } = this;
    return (
      this.answer.isComplete &&
      proposal?.state === 'open' &&
      !proposal.isEmpty &&
      proposal.refusal === null
    );
  }

  /** Whether the suggestion is whole, and can be compared with the cell as it is now. */
  get canCompare(): boolean {
    return this.answer.isComplete && (this._proposal?.canRenew ?? false);
  }

  /** Set where it was stopped by what happened to the notebook. */
  get cause(): InterruptionCause | null {
    return this._cause;
  }

  /** Whether the answer is whole, and the service says that it is not to be written. */
  get isWithheld(): boolean {
    return this.answer.isComplete && Boolean(this.answer.done?.change?.problem);
  }

  /** What the clipboard gets: the code of a change, or the text. */
  get copyable(): string {
    const { text } = this.answer;
    return this._proposal && !this.isWithheld ? this._code : text;
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
    const answer: Reference = { kind: 'text', name: title, text: this.answer.text };
    return [code, answer].filter(({ text }) => text !== '');
  }

  /** Ask, or ask again, about the cell as it is now; answers what is in the way, if anything. */
  start(): Obstacle | null {
    return this._start(this._refinements);
  }

  /** The same, with one more sentence on what to do; without it, where something is in the way. */
  refine(sentence: string): Obstacle | null {
    const refinements = [...this._refinements, sentence];
    const obstacle = this._start(refinements);
    if (!obstacle) {
      this._refinements = refinements;
    }
    return obstacle;
  }

  /** Show what the suggestion would change in the cell as it is now. */
  compare(): void {
    if (this._proposal && this.canCompare) {
      this._proposal = this._follow(this._proposal.renewed());
      this._changed.emit();
    }
  }

  /** Run the cell as it is, and with the change, in a copy of the notebook. */
  tryInCopy(): void {
    if (this._proposal && this.isReady) {
      void this.trial.start(this._proposal.original, this._proposal.suggested);
    }
  }

  /** Put the answer into a new cell below: its code, where that is what was asked for; or say why not. */
  insertBelow(): IRefusal | null {
    const { text } = this.answer;
    const record = this._record();
    if (!record) {
      return null;
    }
    const isCode = this.command !== 'explain' && fences(text).length > 0;
    return isCode
      ? this.writer.insertBelow('code', this._code, record)
      : this.writer.insertBelow('markdown', text, record);
  }

  dispose(): void {
    // The cell has no model any more where it went first.
    this.writer.shared.changed.disconnect(this._onCell);
    this.panel.context.fileChanged.disconnect(this._onNotebook);
    this.panel.context.model.stateChanged.disconnect(this._onNotebook);
    this.panel.sessionContext.statusChanged.disconnect(this._onKernel);
    this.privacy.changed.disconnect(this._onPrivacy);
    this.trial.dispose();
    this.answer.dispose();
    Signal.clearData(this);
  }

  private _start(refinements: readonly string[]): Obstacle | null {
    const { cell, panel, writer } = this;
    // What there is would be given up for nothing.
    if (this.answer.text !== '' && ['away', 'absent'].includes(this._channel.state)) {
      return 'away';
    }
    const { source, barrier } = writer;
    if (barrier && (barrier.reason === 'gone' || SHOWN_AS_CHANGES.has(this.command))) {
      return barrier.reason;
    }
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
        above: cellsAbove(panel, cell),
        below: cellsBelow(panel, cell),
        variables: this._variablesOf(panel.sessionContext),
        isAboutError: this._isAboutError
      },
      refinements
    );
    if (typeof composed === 'string') {
      return composed;
    }
    const { request } = composed;
    this._cause = null;
    this._composed = this.privacy.isOn
      ? { ...composed, request: { ...request, private: true } }
      : composed;
    this._proposal = SHOWN_AS_CHANGES.has(this.command) ? this._propose() : null;
    // Where it was asked is no part of what was asked, and does not go into the cell's metadata.
    const origin = { notebook: panel.context.path, cell: cell.model.id };
    this.answer.start({ ...this._composed.request, origin });
    return null;
  }

  /** The code of the answer: what the service made of it, once it is whole. */
  private get _code(): string {
    const { text, done } = this.answer;
    const { code } = done?.change ?? { code: codeOf(text, languageOf(this.panel)) };
    return code.replace(/^\n+/, '').trimEnd();
  }

  /** Whence the text came; null before it has come to its end. */
  private _record(): IProvenance | null {
    const { done } = this.answer;
    return done && this._composed && provenance(done, new Date(), this._composed.request);
  }

  private _propose(): Proposal {
    const { writer } = this;
    return this._follow(
      new Proposal({
        get source() {
          return writer.source;
        },
        refusal: (before, after) => writer.refusal(before, after),
        write: (before, after) => writer.write(before, after, this._record())
      })
    );
  }

  private _follow(proposal: Proposal): Proposal {
    proposal.changed.connect(({ state }) => {
      // One that was renewed is not looked at any more.
      if (proposal === this._proposal) {
        if (state === 'rejected' || state === 'stale') {
          this.answer.stop();
          this.trial.stop();
        }
        this.trial.show(proposal.original, proposal.suggested);
        this._changed.emit();
      }
    });
    return proposal;
  }

  private _onAnswer(): void {
    const { text, isRunning } = this.answer;
    if (this._proposal && this._composed) {
      const whole = this.isWithheld ? '' : this._code;
      const code = isRunning ? codeSoFar(text, languageOf(this.panel)) : whole;
      this._proposal.suggest(this._composed.apply(code, !isRunning));
      this.trial.show(this._proposal.original, this._proposal.suggested);
    }
    this._changed.emit();
  }

  /** Its text, its metadata, or something else of it has changed. */
  private readonly _onCell = (): void => {
    const { source, shared } = this.writer;
    const before = this._seen;
    this._seen = source;
    if (source !== before) {
      // The cells that a split makes are there when all of it is told.
      queueMicrotask(() => {
        const cells = this.panel.content.model?.sharedModel.cells ?? [];
        const above = cells[cells.findIndex(cell => cell === shared) - 1];
        if (above && isSplit(before, above.getSource(), source)) {
          this._end('split');
        }
      });
    }
    this._proposal?.check();
  };

  private readonly _onNotebook = (): void => {
    this._proposal?.check();
  };

  private readonly _onKernel = (_: unknown, status: Kernel.Status): void => {
    if (status === 'restarting' || status === 'autorestarting') {
      this._end('kernel');
    }
  };

  /** Something has happened to the notebook that an answer which is still being written is not for. */
  private _end(cause: InterruptionCause): void {
    if (this.answer.isRunning) {
      this._cause = cause;
      this.answer.stop();
      this._changed.emit();
    }
  }

  private readonly _onPrivacy = (): void => {
    this._changed.emit();
  };

  private readonly _changed = new Signal<this, void>(this);
  private _refinements: readonly string[] = [];
  private _cause: InterruptionCause | null = null;
  /** The text of the cell when it was last looked at. */
  private _seen: string;
  private _source: string | null = null;
  private _selection = { anchor: 0, head: 0 };
  private _composed: IComposed | null = null;
  private _proposal: Proposal | null = null;
}
