/** The tab of the chat: conversations, their turns, and the box of the next question. */

import { Clipboard, Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { type ConversationInfo, EMBEDDED } from '../contract';
import type { ICodeBlock } from '../shared/answers/fences';
import { whereText } from '../shared/service/provider';
import { askTitle } from '../shared/ui/askTitle';
import { awayText } from '../shared/ui/away';
import { Button } from '../shared/ui/button';
import { FocusKeeper } from '../shared/ui/focus';
import type { CodeAction } from './codeBlocks';
import { Composer } from './composer';
import type { ChatModel } from './model';
import type { PageContext } from './pageContext';
import type { ITurn } from './turn';
import { TurnView } from './turnView';
import { stateSentence } from './words';

export interface IChatPanelOptions {
  model: ChatModel;
  page: PageContext;
  rendermime: IRenderMimeRegistry;
  /** Show what was read for a run. */
  inspect: (run: string) => void;
  /** Lead to a model, where there is none to answer. */
  setUp: () => void;
  trans: TranslationBundle;
}

/** The log follows what is written while its end is this near to what is seen. */
const NEAR_PX = 60;

export class ChatPanel extends ReactWidget {
  constructor(private readonly _options: IChatPanelOptions) {
    super();
    this.addClass('jp-LocalCoder-Chat');
    this.node.tabIndex = -1;
    // Enter and letters are for its own boxes and buttons, and for no command of a notebook.
    this.node.dataset.lmSuppressShortcuts = 'true';
    new FocusKeeper(this.node, () => this._box ?? this.node);
  }

  protected override render(): React.JSX.Element {
    const { model, page, trans } = this._options;
    return (
      <>
        <UseSignal signal={model.changed}>{() => this._head()}</UseSignal>
        <UseSignal signal={model.changed}>{() => this._log()}</UseSignal>
        <UseSignal signal={model.changed}>
          {() => <Composer model={model} page={page} trans={trans} />}
        </UseSignal>
      </>
    );
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    void this._options.model.refresh();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    (this._box ?? this.node).focus();
  }

  /** Where a question is written. */
  private get _box(): HTMLElement | null {
    return this.node.querySelector('.jp-LocalCoder-Composer > textarea');
  }

  private _head(): React.JSX.Element {
    const { model, trans } = this._options;
    const { conversations, conversation, error } = model;
    const listed = conversations.find(({ id }) => id === conversation);
    const isListed = listed !== undefined;
    const rename = (): void => {
      if (listed) {
        void this._rename(listed);
      }
    };
    return (
      <div className="jp-LocalCoder-Chat-head">
        <select
          className="jp-LocalCoder-select"
          aria-label={trans.__('Conversation')}
          value={isListed ? conversation : ''}
          onChange={event => {
            if (event.target.value === '') {
              model.begin();
            } else {
              void model.open(event.target.value);
            }
          }}
          onKeyDown={event => {
            if (event.key === 'F2') {
              event.preventDefault();
              rename();
            }
          }}
        >
          <option value="">
            {conversation === '' || isListed
              ? trans.__('New conversation')
              : trans.__('This conversation')}
          </option>
          {conversations.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </select>
        <Button
          label={trans.__('New')}
          onClick={() => {
            model.begin();
            this.activate();
          }}
        />
        <Button
          label={trans.__('Rename…')}
          title={trans.__('Rename this conversation (F2 in the list)')}
          isOff={!isListed}
          onClick={rename}
        />
        <Button
          label={trans.__('Delete')}
          isOff={!isListed || model.isRunning}
          onClick={() => {
            void this._delete(conversation);
          }}
        />
        {(model.channel === 'away' || model.channel === 'absent') && (
          <p role="alert">{awayText(model.channel, trans)}</p>
        )}
        {error && (
          <p role="alert">
            {error.message} {error.recovery}
          </p>
        )}
      </div>
    );
  }

  private _log(): React.JSX.Element {
    const { model, rendermime, inspect, setUp, trans } = this._options;
    const { turns } = model;
    const canAsk = !model.isRunning && model.isConnected;
    return (
      <Log label={trans.__('Turns')} count={turns.length}>
        {/* Apart from the text that streams: so each state is heard once. */}
        <span role="status" aria-live="polite" className="jp-LocalCoder-spoken">
          {stateSentence(turns.at(-1), trans)}
        </span>
        {turns.length === 0 && (
          <p className="jp-LocalCoder-Chat-empty">
            {model.provider && model.provider.id !== EMBEDDED
              ? trans.__(
                  'Ask about your code, or anything else. Only what you write and add here is sent. %1',
                  whereText(model.provider, trans)
                )
              : trans.__(
                  'Ask about your code, or anything else. The model runs on this machine and reads only what you ' +
                    'write and add here.'
                )}
          </p>
        )}
        {turns.map((turn, index) => (
          <TurnView
            key={turn.key}
            turn={turn}
            canAsk={canAsk}
            onEdit={words => {
              model.edit(index, words);
            }}
            onRegenerate={() => {
              model.regenerate(index);
            }}
            onShow={id => {
              void model.show(index, id);
            }}
            onInspect={inspect}
            onSetUp={setUp}
            onCode={this._onCode}
            rendermime={rendermime}
            trans={trans}
          />
        ))}
      </Log>
    );
  }

  private readonly _onCode = (action: CodeAction, block: ICodeBlock, turn: ITurn): void => {
    const { page, trans } = this._options;
    if (action === 'copy') {
      Clipboard.copyToSystem(block.code);
      return;
    }
    if (!page.hasCell || !turn.record) {
      Notification.warning(trans.__('Open a notebook first: there is no cell to write to.'), {
        autoClose: 6000
      });
      return;
    }
    if (action === 'insert') {
      void page.insert(block, turn.record);
    } else {
      void page.replace(block, turn.record);
    }
  };

  private async _rename({ id, title }: ConversationInfo): Promise<void> {
    const { model, trans } = this._options;
    const written = await askTitle(trans.__('Rename the conversation'), title, trans);
    if (written !== '' && written !== title) {
      await model.rename(id, written);
    }
  }

  private async _delete(id: string): Promise<void> {
    const { model, trans } = this._options;
    const { button } = await showDialog({
      title: trans.__('Delete this conversation?'),
      body: trans.__('Its questions and answers will be deleted from the history of this server.'),
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Delete') })],
      defaultButton: 0
    });
    if (button.accept) {
      await model.delete(id);
    }
  }
}

interface ILogProps {
  label: string;
  /** Number of turns: a new one is always brought into view. */
  count: number;
  children: React.ReactNode;
}

function Log({ label, count, children }: ILogProps): React.JSX.Element {
  const node = React.useRef<HTMLDivElement>(null);
  const content = React.useRef<HTMLDivElement>(null);
  const isAtEnd = React.useRef(true);
  React.useEffect(() => {
    isAtEnd.current = true;
  }, [count]);
  // Markdown takes its place a moment after it came, and its buttons after that.
  React.useEffect(() => {
    const observer = new ResizeObserver(() => {
      const { current } = node;
      if (current && isAtEnd.current) {
        current.scrollTop = current.scrollHeight;
      }
    });
    if (content.current) {
      observer.observe(content.current);
    }
    return () => {
      observer.disconnect();
    };
  }, []);
  return (
    <div
      ref={node}
      className="jp-LocalCoder-Chat-log"
      role="region"
      aria-label={label}
      tabIndex={0}
      onScroll={({ currentTarget }) => {
        const { scrollHeight, scrollTop, clientHeight } = currentTarget;
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_PX;
      }}
    >
      <div ref={content}>{children}</div>
    </div>
  );
}
