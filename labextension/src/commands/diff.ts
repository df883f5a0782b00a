/** Shows a proposal as a diff of the whole cell, in which each hunk can be accepted or rejected. */

import { getChunks, getOriginalDoc, unifiedMergeView, updateOriginalDoc } from '@codemirror/merge';
import { ChangeSet, Compartment, EditorState, Text } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { type IEditorLanguageRegistry, jupyterTheme } from '@jupyterlab/codemirror';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import type { Proposal } from './proposal';

/** As CodeMirror cuts a text into lines. */
const LINE_END = /\r\n?|\n/;

export class DiffView extends Widget {
  constructor(
    private readonly _proposal: Proposal,
    private readonly _trans: TranslationBundle,
    languages: IEditorLanguageRegistry,
    mimeType: string
  ) {
    super();
    this.addClass('jp-LocalCoder-Diff');
    this._view = new EditorView({
      parent: this.node,
      state: EditorState.create({
        doc: _proposal.suggested,
        extensions: [
          jupyterTheme,
          EditorView.lineWrapping,
          lineNumbers(),
          // The text is changed by accepting and rejecting only; keys still scroll it.
          EditorView.editable.of(false),
          EditorView.contentAttributes.of({
            tabindex: '0',
            'aria-label': _trans.__('Suggested change of the cell')
          }),
          unifiedMergeView({
            original: _proposal.original,
            gutter: true,
            mergeControls: (type, action) => this._control(type, action)
          }),
          this._language.of([]),
          EditorView.updateListener.of(update => {
            const was = getOriginalDoc(update.startState);
            const is = getOriginalDoc(update.state);
            if (this._isOurs) {
              return;
            }
            if (!was.eq(is)) {
              this._proposal.acceptHunk(is.toString());
            } else if (update.docChanged) {
              this._proposal.rejectHunk(update.state.doc.toString());
            }
          })
        ]
      })
    });
    const spec = languages.findByMIME(mimeType);
    if (spec) {
      void languages.getLanguage(spec).then(language => {
        if (language?.support && !this.isDisposed) {
          this._view.dispatch({ effects: this._language.reconfigure(language.support) });
        }
      });
    }
  }

  /** Number of hunks that are neither accepted nor rejected. */
  get hunks(): number {
    return getChunks(this._view.state)?.chunks.length ?? 0;
  }

  /** Show what the proposal has become; hunks get their buttons when it `isReady`. */
  refresh(isReady: boolean): void {
    const { doc } = this._view.state;
    const was = getOriginalDoc(this._view.state);
    const wanted = this._proposal.suggested;
    const original = Text.of(this._proposal.original.split(LINE_END));
    this._isOurs = true;
    // CodeMirror takes a hunk for accepted before the cell has taken it.
    if (!was.eq(original)) {
      const changes = ChangeSet.of({ from: 0, to: was.length, insert: original }, was.length);
      this._view.dispatch({ effects: updateOriginalDoc.of({ doc: original, changes }) });
    }
    if (!doc.eq(Text.of(wanted.split(LINE_END)))) {
      this._view.dispatch({ changes: { from: 0, to: doc.length, insert: wanted } });
    }
    this._isOurs = false;
    this.toggleClass('jp-mod-ready', isReady);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._view.destroy();
      super.dispose();
    }
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._view.requestMeasure();
  }

  private _control(type: 'accept' | 'reject', action: (event: MouseEvent) => void): HTMLElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'jp-LocalCoder-button';
    const isAccept = type === 'accept';
    button.textContent = isAccept ? this._trans.__('Accept') : this._trans.__('Reject');
    button.setAttribute(
      'aria-label',
      isAccept ? this._trans.__('Accept this change') : this._trans.__('Reject this change')
    );
    button.addEventListener('click', action);
    return button;
  }

  private readonly _view: EditorView;
  private readonly _language = new Compartment();
  /** While the text is set from here, and not by a button of a hunk. */
  private _isOurs = false;
}
