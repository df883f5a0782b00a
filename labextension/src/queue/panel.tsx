/** The tab of the queue: what runs, what waits and where, and how to end it. */

import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { QueueItem, QueueView, StreamItem } from '../contract';
import { AnswerView } from '../shared/answers/answerView';
import { Reasoning } from '../shared/answers/reasoning';
import { commandText } from '../shared/text/commandText';
import { GENERAL } from '../shared/ui/actionState';
import { Button } from '../shared/ui/button';
import { Fold } from '../shared/ui/fold';
import { Note } from '../shared/ui/note';
import { SectionPanel } from '../shared/ui/section';
import { Compose } from './compose';
import type { QueueModel } from './model';
import {
  ageText,
  answererText,
  fromText,
  marksText,
  promptText,
  stateText,
  summaryText
} from './words';

/** What others change comes by events; this is for an event that was missed. */
const REFRESH_MS = 30_000;
/** So many are drawn; of the others the number is said. */
const MOST_WAITING = 50;
const MOST_ENDED = 20;

export class QueuePanel extends SectionPanel<QueueModel> {
  constructor(
    model: QueueModel,
    trans: TranslationBundle,
    private readonly _rendermime: IRenderMimeRegistry
  ) {
    super(model, trans, REFRESH_MS);
    this.addClass('jp-LocalCoder-Queue');
  }

  protected override content(): React.ReactNode {
    const { model, trans } = this;
    const { view } = model;
    return view && <Content {...{ model, view, trans }} rendermime={this._rendermime} />;
  }
}

interface IQueueContentProps {
  model: QueueModel;
  view: QueueView;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

function Content({ model, view, rendermime, trans }: IQueueContentProps): React.JSX.Element {
  const { actionState } = model;
  const { running, waiting, streams, ended } = view;
  const note = actionState.note(GENERAL);
  const now = useNow(model.open > 0);
  const shared = { model, now, trans };
  return (
    <>
      <section className="jp-LocalCoder-Head" aria-label={trans.__('Requests')}>
        <p>
          <strong>{summaryText(running.length + streams.length, waiting.length, trans)}</strong>
        </p>
        <p className="jp-LocalCoder-Field-help">
          {trans.__(
            'Commands and chats are answered immediately. Queued prompts run one at a time per provider; ' +
              'the maximum queue length is %1.',
            view.limit
          )}
        </p>
        {note && (
          <Note
            note={note}
            trans={trans}
            onDismiss={() => {
              actionState.dismiss(GENERAL);
            }}
          />
        )}
        <div className="jp-LocalCoder-buttons">
          <Button
            label={trans.__('Cancel all')}
            isOff={model.open === 0 || actionState.isBusy(GENERAL)}
            onClick={() => void model.cancelAll()}
          />
        </div>
      </section>
      <Compose model={model} trans={trans} />
      {streams.length + running.length > 0 && (
        <section aria-label={trans.__('Running')}>
          <h2>{trans.__('Running')}</h2>
          <ul className="jp-LocalCoder-Cards">
            {streams.map(stream => (
              <StreamCard key={stream.id} {...shared} stream={stream} />
            ))}
            {running.map(item => (
              <ItemCard key={item.id} {...shared} item={item} />
            ))}
          </ul>
        </section>
      )}
      {waiting.length > 0 && (
        <section aria-label={trans.__('Waiting')}>
          <h2>{trans.__('Waiting')}</h2>
          <ol className="jp-LocalCoder-Cards">
            {waiting.slice(0, MOST_WAITING).map(item => (
              <ItemCard key={item.id} {...shared} item={item} />
            ))}
          </ol>
          {waiting.length > MOST_WAITING && (
            <p>{trans.__('and %1 more', waiting.length - MOST_WAITING)}</p>
          )}
        </section>
      )}
      {ended.length > 0 && (
        <Fold title={trans.__('Recently finished')}>
          <ul className="jp-LocalCoder-Cards">
            {ended.slice(0, MOST_ENDED).map(item => (
              <EndedCard key={item.id} {...shared} item={item} rendermime={rendermime} />
            ))}
          </ul>
        </Fold>
      )}
    </>
  );
}

/** The time, anew each second while something is under way. */
function useNow(isTicking: boolean): number {
  const [now, setNow] = React.useState(() => Date.now());
  React.useEffect(() => {
    setNow(Date.now());
    if (!isTicking) {
      return undefined;
    }
    const timer = setInterval(() => {
      setNow(Date.now());
    }, 1000);
    return () => {
      clearInterval(timer);
    };
  }, [isTicking]);
  return now;
}

interface IQueueCardProps {
  model: QueueModel;
  now: number;
  trans: TranslationBundle;
}

function StreamCard(props: IQueueCardProps & { stream: StreamItem }): React.JSX.Element {
  const { model, now, stream, trans } = props;
  const what = commandText(stream.kind, stream.command, trans);
  return (
    <li className="jp-LocalCoder-Card" aria-label={what} data-request={stream.id}>
      <Top what={what} state={trans.__('runs')} badge="working" />
      <Facts
        facts={[
          fromText(stream.path, trans),
          stream.provider,
          trans.__('for %1', ageText(stream.started, now, trans))
        ]}
      />
      <div className="jp-LocalCoder-buttons">
        <CancelButton model={model} id={stream.id} what={what} trans={trans} />
      </div>
    </li>
  );
}

function ItemCard(props: IQueueCardProps & { item: QueueItem }): React.JSX.Element {
  const { model, now, item, trans } = props;
  const what = promptText(item, trans);
  const isWaiting = item.state === 'waiting';
  return (
    <li className="jp-LocalCoder-Card" aria-label={what} data-request={item.id}>
      <Top what={what} state={stateText(item, trans)} badge={isWaiting ? 'waiting' : 'working'} />
      <Facts
        facts={[
          fromText(item.path, trans),
          answererText(item),
          trans.__('queued %1 ago', ageText(item.added, now, trans))
        ]}
      />
      <Facts facts={[marksText(item, trans)]} />
      <div className="jp-LocalCoder-buttons">
        <PromptToggle {...{ model, item, what, trans }} />
        {item.state !== 'saving' && (
          <CancelButton
            model={model}
            id={item.id}
            what={isWaiting ? `${what} (${item.position})` : what}
            trans={trans}
          />
        )}
      </div>
      <PromptText {...{ model, item, what, trans }} />
    </li>
  );
}

function EndedCard(
  props: IQueueCardProps & { item: QueueItem; rendermime: IRenderMimeRegistry }
): React.JSX.Element {
  const { model, now, item, rendermime, trans } = props;
  const what = promptText(item, trans);
  const answer = model.answer(item.id);
  const note = model.actionState.note(item.id);
  return (
    <li className="jp-LocalCoder-Card" aria-label={what} data-request={item.id}>
      <Top
        what={what}
        state={stateText(item, trans)}
        badge={item.state === 'failed' ? 'error' : item.state}
      />
      <Facts
        facts={[
          fromText(item.path, trans),
          answererText(item),
          trans.__('queued %1 ago', ageText(item.added, now, trans))
        ]}
      />
      {item.state === 'failed' && item.error && (
        <p className="jp-LocalCoder-Note" data-severity="error">
          {item.error.message} {item.error.recovery}
        </p>
      )}
      <div className="jp-LocalCoder-buttons">
        {item.state === 'done' && (
          <Button
            label={answer ? trans.__('Hide the answer') : trans.__('Show the answer')}
            name={
              answer ? trans.__('Hide the answer: %1', what) : trans.__('Show the answer: %1', what)
            }
            isOff={model.actionState.isBusy(item.id)}
            onClick={() => {
              if (answer) {
                model.hide(item.id);
              } else {
                void model.show(item.id);
              }
            }}
          />
        )}
        <PromptToggle {...{ model, item, what, trans }} />
        {item.state !== 'done' && item.prompt_kept && (
          <Button
            label={trans.__('Retry')}
            name={trans.__('Retry: %1', what)}
            isOff={model.actionState.isBusy(item.id)}
            onClick={() => void model.retry(item.id)}
          />
        )}
      </div>
      <PromptText {...{ model, item, what, trans }} />
      {answer && <Reasoning reasoning={answer.reasoning || ''} trans={trans} />}
      {answer && <AnswerView text={answer.text} rendermime={rendermime} />}
      {note && (
        <Note
          note={note}
          trans={trans}
          onDismiss={() => {
            model.actionState.dismiss(item.id);
          }}
        />
      )}
    </li>
  );
}

interface IPromptProps {
  model: QueueModel;
  item: QueueItem;
  what: string;
  trans: TranslationBundle;
}

/** Shows and hides what was asked; nothing where that was not kept. */
function PromptToggle({ model, item, what, trans }: IPromptProps): React.JSX.Element | null {
  if (!item.prompt_kept) {
    return null;
  }
  const isShown = model.prompt(item.id) !== undefined;
  return (
    <Button
      label={isShown ? trans.__('Hide the prompt') : trans.__('Show the prompt')}
      name={isShown ? trans.__('Hide the prompt: %1', what) : trans.__('Show the prompt: %1', what)}
      isOff={model.actionState.isBusy(item.id)}
      onClick={() => {
        if (isShown) {
          model.hidePrompt(item.id);
        } else {
          void model.showPrompt(item.id);
        }
      }}
    />
  );
}

function PromptText({ model, item, what, trans }: IPromptProps): React.JSX.Element | null {
  const prompt = model.prompt(item.id);
  return prompt === undefined ? null : (
    <pre
      className="jp-LocalCoder-Queue-prompt"
      tabIndex={0}
      aria-label={trans.__('Prompt of %1', what)}
    >
      {prompt}
    </pre>
  );
}

function Top(props: { what: string; state: string; badge: string }): React.JSX.Element {
  return (
    <div className="jp-LocalCoder-Card-head">
      <h3>{props.what}</h3>
      <span className="jp-LocalCoder-badge" data-state={props.badge}>
        {props.state}
      </span>
    </div>
  );
}

function Facts({ facts }: { facts: readonly string[] }): React.JSX.Element | null {
  const text = facts.filter(Boolean).join(' · ');
  return text === '' ? null : <p className="jp-LocalCoder-Card-facts">{text}</p>;
}

function CancelButton(props: {
  model: QueueModel;
  id: string;
  what: string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { model, id, what, trans } = props;
  return (
    <Button
      label={trans.__('Cancel')}
      name={trans.__('Cancel: %1', what)}
      isOff={model.actionState.isBusy(id)}
      onClick={() => void model.cancel(id, what)}
    />
  );
}
