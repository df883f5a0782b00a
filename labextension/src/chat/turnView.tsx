/** One turn on the screen: the question, the answer, and what can be done with both. */

import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ICodeBlock } from '../shared/answers/fences';
import { Reasoning } from '../shared/answers/reasoning';
import { isOpen, needsModel } from '../shared/answers/streamedAnswer';
import { Button } from '../shared/ui/button';
import { Answer } from './answer';
import { Chips } from './chips';
import type { CodeAction } from './codeBlocks';
import { type ITurn, versionOf } from './turn';
import { cutSentence, stateSentence, usageSentence } from './words';

export interface ITurnProps {
  turn: ITurn;
  /** Whether another question can be asked now. */
  canAsk: boolean;
  onEdit: (words: string) => void;
  onRegenerate: () => void;
  /** Show another turn that stands at its place. */
  onShow: (id: string) => void;
  onInspect: (run: string) => void;
  /** Lead to a model, where there is none to answer. */
  onSetUp: () => void;
  onCode: (action: CodeAction, block: ICodeBlock, turn: ITurn) => void;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

export function TurnView(props: ITurnProps): React.JSX.Element {
  const { turn, canAsk, trans } = props;
  const [edited, setEdited] = React.useState<string | null>(null);
  const isOver = !isOpen(turn.state);
  return (
    <article className="jp-LocalCoder-Turn">
      <section className="jp-LocalCoder-Turn-question" aria-label={trans.__('You')}>
        {edited === null ? (
          <>
            <p>{turn.words}</p>
            <Chips references={turn.references} trans={trans} />
            <div className="jp-LocalCoder-buttons">
              <Button
                label={trans.__('Edit')}
                isOff={!canAsk}
                onClick={() => {
                  setEdited(turn.words);
                }}
              />
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
        <Reasoning reasoning={turn.reasoning} trans={trans} />
        <Answer
          text={turn.text}
          isOver={isOver}
          onCode={(action, block) => {
            props.onCode(action, block, turn);
          }}
          rendermime={props.rendermime}
          trans={trans}
        />
        {(turn.state === 'failed' ||
          turn.state === 'stopped' ||
          cutSentence(turn.finish, trans) !== '') && (
          <p className="jp-LocalCoder-Turn-state" data-state={turn.state}>
            {stateSentence(turn, trans)}
          </p>
        )}
        {isOver && (
          <div className="jp-LocalCoder-buttons">
            {needsModel(turn.error?.code) && (
              <Button label={trans.__('Set up a model')} onClick={props.onSetUp} />
            )}
            <Versions turn={turn} isOff={!canAsk} onShow={props.onShow} trans={trans} />
            <Button label={trans.__('Answer again')} isOff={!canAsk} onClick={props.onRegenerate} />
            {turn.id !== '' && (
              <Button
                label={trans.__('Prompt')}
                onClick={() => {
                  props.onInspect(turn.id);
                }}
              />
            )}
          </div>
        )}
        <p className="jp-LocalCoder-Turn-usage">{usageSentence(turn, trans)}</p>
      </section>
    </article>
  );
}

interface IVersionsProps {
  turn: ITurn;
  isOff: boolean;
  onShow: (id: string) => void;
  trans: TranslationBundle;
}

/** Where a question was answered again or asked otherwise: which of the turns this is, and the way to the others. */
function Versions({ turn, isOff, onShow, trans }: IVersionsProps): React.JSX.Element | null {
  const { at, count } = versionOf(turn);
  if (count < 2) {
    return null;
  }
  const step = (label: string, name: string, to: number): React.JSX.Element => {
    const id = turn.alternatives[to] ?? '';
    return (
      <Button
        label={label}
        name={name}
        title={name}
        isOff={isOff || id === ''}
        onClick={() => {
          onShow(id);
        }}
      />
    );
  };
  return (
    <span
      role="group"
      aria-label={trans.__('Versions of this turn')}
      className="jp-LocalCoder-Versions"
    >
      {step('‹', trans.__('Previous version'), at - 1)}
      <span aria-live="polite">{trans.__('%1 of %2', at + 1, count)}</span>
      {step('›', trans.__('Next version'), at + 1)}
    </span>
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
