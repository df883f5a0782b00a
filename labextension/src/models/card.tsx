/** One model: what it is, whether it fits, what is under way, and what can be done. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { detailText, type License, managerText, type Memory, type ModelAction } from '../contract';
import { perSecond } from '../shared/text/units';
import type { INote } from '../shared/ui/actionState';
import { Button } from '../shared/ui/button';
import { Note } from '../shared/ui/note';
import { Rows } from '../shared/ui/rows';
import { actionsOf } from './actions';
import { fitText } from './fit';
import type { Act } from './handlers';
import { ProgressBar } from './progressBar';
import type { IModelView } from './view';
import { actionText, detailRows, factsText, stateText } from './words';

export interface IModelCardProps {
  view: IModelView;
  license: License | undefined;
  memory: Memory | null;
  note: INote | undefined;
  isBusy: boolean;
  act: Act;
  onForce: (id: string) => void;
  onDismiss: (id: string) => void;
  trans: TranslationBundle;
}

/** Drawn again only when something of it has changed: a download of another model is not that. */
export const Card = React.memo(function Card(props: IModelCardProps): React.JSX.Element {
  const { view, license, memory, note, isBusy, act, trans } = props;
  const [isOpen, setOpen] = React.useState(false);
  const { info, progress } = view;
  const titleId = `jp-LocalCoder-model-${info.id}`;
  const { first, more } = actionsOf(view);
  const button = (action: ModelAction, isAccept: boolean): React.JSX.Element => (
    <ActionButton key={action} {...{ action, isAccept, isBusy, view, act, trans }} />
  );
  return (
    <li
      className="jp-LocalCoder-Card jp-LocalCoder-Model"
      aria-labelledby={titleId}
      data-model={info.id}
    >
      <div className="jp-LocalCoder-Card-head">
        <h3 id={titleId}>{info.name}</h3>
        <span className="jp-LocalCoder-badge" data-state={badgeOf(view)}>
          {stateText(view, trans)}
        </span>
      </div>
      <p className="jp-LocalCoder-Card-facts">{factsText(view, trans)}</p>
      <p className="jp-LocalCoder-Card-facts">
        {license?.name ?? detailText('license-not-known', trans)}
        {license?.attribution ? ` · ${license.attribution}` : ''}
      </p>
      <Uses view={view} trans={trans} />
      <FitLine view={view} memory={memory} trans={trans} />
      {progress && (
        <ProgressBar
          progress={progress}
          label={managerText('progress-of', trans, info.name)}
          trans={trans}
        />
      )}
      {info.error && !note && (
        <p className="jp-LocalCoder-Note" data-severity="error">
          {info.error.message} {info.error.recovery}
        </p>
      )}
      {note && (
        <Note
          note={note}
          trans={trans}
          onForce={() => {
            props.onForce(info.id);
          }}
          onDismiss={() => {
            props.onDismiss(info.id);
          }}
        />
      )}
      <div className="jp-LocalCoder-buttons">
        {first.map((action, index) => button(action, index === 0 && isWanted(view, action)))}
        <button
          type="button"
          className="jp-LocalCoder-button"
          aria-expanded={isOpen}
          aria-label={trans.__('Details of %1', info.name)}
          onClick={() => {
            setOpen(!isOpen);
          }}
        >
          {managerText('details', trans)}
        </button>
      </div>
      {isOpen && (
        <div className="jp-LocalCoder-Model-details">
          <Rows rows={detailRows(view, license, trans)} />
          <h4>{managerText('memory', trans)}</h4>
          <Rows rows={fitText(info.fit, memory, trans).rows} />
          {more.length > 0 && (
            <div className="jp-LocalCoder-buttons">{more.map(action => button(action, false))}</div>
          )}
        </div>
      )}
    </li>
  );
});

interface IPartProps {
  view: IModelView;
  trans: TranslationBundle;
}

function ActionButton(
  props: IPartProps & { action: ModelAction; isAccept: boolean; isBusy: boolean; act: Act }
): React.JSX.Element {
  const { action, view, act, trans } = props;
  const label = actionText(action, trans);
  // What stops something must work while that goes on.
  const stops = ['pause', 'stop', 'discard', 'unload'].includes(action);
  return (
    <Button
      label={label}
      name={`${label}: ${view.info.name}`}
      {...(action === 'delete' ? { kind: 'warn' } : props.isAccept ? { kind: 'accept' } : {})}
      isOff={props.isBusy && !stops}
      onClick={() => void act(action, view)}
    />
  );
}

/** What the model answers, if it was chosen for something. */
function Uses({ view, trans }: IPartProps): React.JSX.Element | null {
  const { info } = view;
  const texts = [
    useText(view, trans),
    info.pinned && detailText('pinned-to-version', trans),
    info.update && !info.pinned && detailText('newer-available', trans)
  ].filter(text => typeof text === 'string' && text !== '');
  return texts.length === 0 ? null : (
    <p className="jp-LocalCoder-Model-uses">{texts.join(' · ')}</p>
  );
}

function useText({ isForCode, isForGeneral }: IModelView, trans: TranslationBundle): string {
  if (isForCode && isForGeneral) {
    return trans.__('answers code and general questions');
  }
  if (isForCode) {
    return trans.__('answers code');
  }
  return isForGeneral ? trans.__('answers general questions') : '';
}

/** The verdict of the memory estimate; the numbers on hover, for screen readers and in the details. */
function FitLine(props: IPartProps & { memory: Memory | null }): React.JSX.Element {
  const { view, memory, trans } = props;
  const { fit, speed } = view.info;
  const { sign, word, sentence, rows } = fitText(fit, memory, trans);
  const numbers = rows.map(({ name, value }) => `${name}: ${value}`).join('\n');
  return (
    <p className="jp-LocalCoder-Fit" data-fit={fit.fit} title={`${word}: ${sentence}\n${numbers}`}>
      <span className="jp-LocalCoder-Fit-sign" aria-hidden>
        {sign}
      </span>
      <span>
        <strong>{word}</strong>: {sentence}
      </span>
      <span className="jp-LocalCoder-spoken">{numbers}</span>
      {speed && (
        <span className="jp-LocalCoder-Fit-speed">
          {managerText('writes', trans, perSecond(speed.decode_tokens_per_second, trans))}
        </span>
      )}
    </p>
  );
}

/** The way on is one button of the page, and not one of each model. */
function isWanted({ isForCode }: IModelView, action: ModelAction): boolean {
  return action === 'resume' || (isForCode && ['download', 'load', 'retry'].includes(action));
}

function badgeOf({ info, progress, isLoading }: IModelView): string {
  if ((progress && progress.activity !== '') || isLoading) {
    return 'working';
  }
  return info.loaded ? 'loaded' : info.state;
}
