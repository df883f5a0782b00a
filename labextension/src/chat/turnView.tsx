/** One turn on the screen: the question, the answer, and what can be done with both. */

import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Answer } from './answer';
import { Chips } from './chips';
import type { CodeAction } from './codeBlocks';
import type { ITurn } from './turn';
import { stateSentence, usageSentence } from './words';

export interface ITurnProps {
  turn: ITurn;
  /** Whether another question can be asked now. */
  canAsk: boolean;
  onEdit: (words: string) => void;
  onRegenerate: () => void;
  onInspect: (run: string) => void;
  onCode: (action: CodeAction, code: string, turn: ITurn) => void;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

export function TurnView(props: ITurnProps): React.JSX.Element {
  const { turn, canAsk, trans } = props;
  const [edited, setEdited] = React.useState<string | null>(null);
  const isOver = turn.state !== 'waiting' && turn.state !== 'writing';
  return (
    <article className="jp-LocalCoder-Turn">
      <section className="jp-LocalCoder-Turn-question" aria-label={trans.__('You')}>
        {edited === null ? (
          <>
            <p>{turn.words}</p>
            <Chips references={turn.references} trans={trans} />
            <div className="jp-LocalCoder-buttons">
              <button
                type="button"
                className="jp-LocalCoder-button"
                disabled={!canAsk}
                onClick={() => {
                  setEdited(turn.words);
                }}
              >
                {trans.__('Edit')}
              </button>
            </div>
          </>
        ) : (
          <EditForm
            words={edited}
            trans={trans}
            onCancel={() => {
              setEdited(null);
            }}
            onSend={words => {
              setEdited(null);
              props.onEdit(words);
            }}
          />
        )}
      </section>
      <section className="jp-LocalCoder-Turn-answer" aria-label={trans.__('Answer')}>
        <Answer
          text={turn.text}
          isOver={isOver}
          onCode={(action, code) => {
            props.onCode(action, code, turn);
          }}
          rendermime={props.rendermime}
          trans={trans}
        />
        {(turn.state === 'failed' || turn.state === 'stopped' || turn.finish === 'length') && (
          <p className="jp-LocalCoder-Turn-state" data-state={turn.state}>
            {stateSentence(turn, trans)}
          </p>
        )}
        {isOver && (
          <div className="jp-LocalCoder-buttons">
            <button
              type="button"
              className="jp-LocalCoder-button"
              disabled={!canAsk}
              onClick={props.onRegenerate}
            >
              {trans.__('Answer again')}
            </button>
            {turn.id !== '' && (
              <button
                type="button"
                className="jp-LocalCoder-button"
                onClick={() => {
                  props.onInspect(turn.id);
                }}
              >
                {trans.__('What was read')}
              </button>
            )}
          </div>
        )}
        <p className="jp-LocalCoder-Turn-usage">{usageSentence(turn, trans)}</p>
      </section>
    </article>
  );
}

interface IEditFormProps {
  words: string;
  onSend: (words: string) => void;
  onCancel: () => void;
  trans: TranslationBundle;
}

function EditForm({ words, onSend, onCancel, trans }: IEditFormProps): React.JSX.Element {
  const [text, setText] = React.useState(words);
  const send = (): void => {
    if (text.trim() !== '') {
      onSend(text.trim());
    }
  };
  return (
    <form
      onSubmit={event => {
        event.preventDefault();
        send();
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onCancel();
        } else if (
          event.key === 'Enter' &&
          !event.shiftKey &&
          event.target instanceof HTMLTextAreaElement
        ) {
          event.preventDefault();
          send();
        }
      }}
    >
      <textarea
        autoFocus
        rows={3}
        value={text}
        aria-label={trans.__('Edit the question')}
        onChange={event => {
          setText(event.target.value);
        }}
      />
      <div className="jp-LocalCoder-buttons">
        <button type="submit" className="jp-LocalCoder-button jp-mod-accept">
          {trans.__('Send again')}
        </button>
        <button type="button" className="jp-LocalCoder-button" onClick={onCancel}>
          {trans.__('Cancel')}
        </button>
      </div>
    </form>
  );
}
