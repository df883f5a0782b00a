/** The panel of a command: the answer, and what can be done with it. */

import { Clipboard, Notification } from '@jupyterlab/apputils';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { MarkdownView } from '../shared/answers/markdown';
import { Reasoning } from '../shared/answers/reasoning';
import { refusalSentence } from '../shared/notebook/refusalText';
import type { IChat } from '../shared/tokens';
import { Buttons, Head } from './bar';
import { CellPanel } from './cellPanel';
import type { Obstacle } from './compose';
import type { Job } from './job';
import { wordsOf } from './names';
import { type CommandAction, type ICommandView, viewOf } from './view';
import { headText, obstacleSentence } from './words';

export interface ICommandPanelOptions {
  job: Job;
  rendermime: IRenderMimeRegistry;
  languages: IEditorLanguageRegistry;
  /** Where to go on asking; null where there is no chat. */
  chat: IChat | null;
  /** Lead to a model, where there is none to answer. */
  setUp: () => void;
  trans: TranslationBundle;
}

export class CommandPanel extends CellPanel {
  constructor(private readonly _options: ICommandPanelOptions) {
    const { job, languages, trans } = _options;
    const { panel: notebook, cell } = job;
    const name = wordsOf(job.command, trans).label;
    super({ notebook, cell, name, languages, trans });
    this._job = job;
    this._title = name;
    this.addWidget(this.part(job.changed, () => this._head()));
    this.addWidget(this.part(job.changed, () => this._buttons()));
    job.changed.connect(() => {
      this._refresh();
    });
  }

  override dispose(): void {
    if (!this.isDisposed) {
      super.dispose();
      this._job.dispose();
    }
  }

  protected override actions(): readonly CommandAction[] {
    return this._view().actions;
  }

  protected override act(action: CommandAction): void {
    const job = this._job;
    switch (action) {
      case 'stop':
        job.answer.stop();
        break;
      case 'accept':
        job.proposal?.accept();
        break;
      case 'reject':
        job.proposal?.reject();
        break;
      case 'try':
        job.tryInCopy();
        this.node.focus();
        break;
      case 'stop-trial':
        job.trial.stop();
        this.node.focus();
        break;
      case 'compare':
        job.compare();
        this.node.focus();
        break;
      case 'setup':
        this._options.setUp();
        break;
      case 'retry':
        this._again(job.start());
        break;
      case 'copy':
        Clipboard.copyToSystem(job.copyable);
        break;
      case 'insert': {
        const refusal = job.insertBelow();
        if (refusal) {
          this._warn(refusalSentence(refusal, this._options.trans));
        }
        break;
      }
      case 'chat':
        this._options.chat?.compose('', job.references(this._title));
        break;
      case 'close':
        this.close();
    }
  }

  private _view(): ICommandView {
    const { answer, proposal, canCompare, cause } = this._job;
    return viewOf(
      {
        answer: answer.state,
        proposal: proposal?.state,
        refusal: proposal?.refusal ?? null,
        canCompare,
        cause,
        hunks: this.hunks,
        hasText: answer.text !== '',
        isTrying: this._job.trial.isRunning,
        hasChat: this._options.chat !== null,
        done: answer.done,
        error: answer.error
      },
      this._options.trans
    );
  }

  private _head(): React.JSX.Element {
    const { answer, isPrivate, trial } = this._job;
    const { trans } = this._options;
    return (
      <>
        <Head
          title={this._title}
          view={this._view()}
          model={headText(answer.done, answer.provider, isPrivate, trans)}
          trial={trial.outcome}
          trans={trans}
        />
        <Reasoning reasoning={answer.reasoning} trans={trans} />
      </>
    );
  }

  private _buttons(): React.JSX.Element {
    return (
      <Buttons
        actions={this._view().actions}
        onAction={action => {
          this.act(action);
        }}
        onRefine={sentence => this._again(this._job.refine(sentence))}
        privacy={this._job.privacy}
        trans={this._options.trans}
      />
    );
  }

  /** Answers whether it was asked again; what there was stays where something is in the way. */
  private _again(obstacle: Obstacle | null): boolean {
    if (obstacle) {
      this._warn(obstacleSentence(obstacle, this._options.trans));
    }
    this.node.focus();
    return !obstacle;
  }

  private _warn(sentence: string): void {
    Notification.warning(sentence, { autoClose: 6000 });
  }

  private _refresh(): void {
    const { proposal, answer, isReady, isWithheld } = this._job;
    if (proposal) {
      this.showChange(proposal, isReady);
    }
    // A change that is withheld shows the whole answer instead.
    const isText = !proposal || isWithheld;
    if (isText && !this.isDisposed) {
      this._markdown ??= this.insertContent(new MarkdownView(this._options.rendermime));
      this._markdown.setText(answer.text);
    }
    this._markdown?.setHidden(!isText);
  }

  private readonly _job: Job;
  private readonly _title: string;
  private _markdown: MarkdownView | null = null;
}
