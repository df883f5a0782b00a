/** One answer, open: what was asked, what was answered, how it came about, and what can be done with it. */

import { Clipboard } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Response } from '../contract';
import { AnswerView } from '../shared/answers/answerView';
import { Reasoning } from '../shared/answers/reasoning';
import { commandText } from '../shared/text/commandText';
import { Button } from '../shared/ui/button';
import { Fold } from '../shared/ui/fold';
import { Note } from '../shared/ui/note';
import { editTitle, exportAnswers, remove } from './actions';
import type { HistoryModel } from './model';
import { detailRows, finishText } from './words';

export interface IOpenedProps {
  model: HistoryModel;
  response: Response;
  rendermime: IRenderMimeRegistry;
  onBack: () => void;
  /** Put it into the notebook. */
  onInsert: () => void;
  trans: TranslationBundle;
}

export function Opened(props: IOpenedProps): React.JSX.Element {
  const { model, response, rendermime, onBack, onInsert, trans } = props;
  const { id, title } = response;
  const { actionState } = model;
  const heading = React.useRef<HTMLHeadingElement>(null);
  React.useEffect(() => {
    heading.current?.focus();
  }, []);
  const note = actionState.note(id);
  const isBusy = actionState.isBusy(id);
  const unfinished = finishText(response.finish, trans);
  return (
    <article
      aria-labelledby={`jp-LocalCoder-response-${id}`}
      data-response={id}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onBack();
        }
      }}
    >
      <div className="jp-LocalCoder-buttons">
        <Button label={trans.__('Back to the list')} onClick={onBack} />
      </div>
      <h2 ref={heading} id={`jp-LocalCoder-response-${id}`} tabIndex={-1}>
        {title}
      </h2>
      {model.isTitlePending(id) && (
        <p className="jp-LocalCoder-Card-facts">{trans.__('Generating a title…')}</p>
      )}
      <div className="jp-LocalCoder-buttons">
        <Button
          label={trans.__('Edit the title…')}
          isOff={isBusy}
          onClick={() => void editTitle(model, response, trans)}
        />
        <Button
          label={trans.__('Generate another title')}
          isOff={isBusy || model.isTitlePending(id)}
          onClick={() => void model.retitle(id)}
        />
        <Button
          label={trans.__('Copy the answer')}
          onClick={() => {
            Clipboard.copyToSystem(response.content);
            actionState.speak(trans.__('Answer copied.'));
          }}
        />
        <Button label={trans.__('Insert into the notebook')} onClick={onInsert} />
        <Button
          label={trans.__('Export…')}
          isOff={isBusy}
          onClick={() => void exportAnswers(model, response, trans)}
        />
        <Button
          label={trans.__('Delete…')}
          kind="warn"
          isOff={isBusy}
          onClick={() => void remove(model, response, trans)}
        />
      </div>
      {note && (
        <Note
          note={note}
          trans={trans}
          onDismiss={() => {
            actionState.dismiss(id);
          }}
        />
      )}
      <section aria-label={trans.__('Question')}>
        <h3>{commandText(response.kind, response.command, trans)}</h3>
        <pre className="jp-LocalCoder-History-prompt" tabIndex={0}>
          {response.prompt}
        </pre>
      </section>
      <section aria-label={trans.__('The answer')}>
        <h3>{trans.__('The answer')}</h3>
        <Reasoning reasoning={response.reasoning || ''} trans={trans} />
        <AnswerView text={response.content} rendermime={rendermime} />
        {unfinished !== '' && (
          <p className="jp-LocalCoder-Note" data-severity="warning">
            {unfinished}
          </p>
        )}
        {response.not_offered && (
          <p className="jp-LocalCoder-Note" data-severity="warning">
            {response.not_offered}
          </p>
        )}
      </section>
      <Fold title={trans.__('Details')}>
        <dl className="jp-LocalCoder-rows">
          {detailRows(response, trans).map(({ name, value }) => (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </React.Fragment>
          ))}
        </dl>
      </Fold>
    </article>
  );
}
