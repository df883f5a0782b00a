/** What each step of the start page shows. */

import * as React from 'react';

import { managerText, type ModelInfo, modelStateWord } from '../contract';
import { fitText, ImportForm, LicenseText, Origins, pinnedText, ProgressBar } from '../models';
import type { Translate } from '../shared/text/translate';
import { perSecond, size } from '../shared/text/units';
import { NoteOf } from '../shared/ui/note';
import { Rows } from '../shared/ui/rows';
import { FirstCompletion } from './completion';
import type { IStartPageOptions } from './options';

export function About({ start, trans }: IStartPageOptions): React.JSX.Element {
  const hasAirGap = start.models.settings?.settings.air_gap === true;
  return (
    <>
      <ul>
        <li>
          {trans.__(
            'The model runs on the machine that runs Jupyter, in a separate process. If it crashes, your ' +
              'notebooks are not affected.'
          )}
        </li>
        <li>{trans.__('Your code, your data and your questions stay on that machine.')}</li>
        <li>
          {trans.__(
            'Only the download of a model, which you start yourself, needs the network. Without a network, ' +
              'you can import a model from a file.'
          )}
        </li>
        {hasAirGap && (
          <li>{trans.__('The air gap is on: connections to other machines are blocked.')}</li>
        )}
      </ul>
      <Main
        label={trans.__('Continue')}
        onClick={() => {
          start.next();
        }}
      />
    </>
  );
}

export function Choose({ start, trans, openProviders }: IStartPageOptions): React.JSX.Element {
  const { models, profile, view } = start;
  const { list } = models;
  const name = React.useId();
  if (!list || !profile) {
    return <p>{trans.__('Loading the list of models…')}</p>;
  }
  return (
    <>
      <p>{list.recommended_reason}</p>
      <fieldset className="jp-LocalCoder-Start-profiles">
        <legend className="jp-LocalCoder-spoken">{trans.__('Profile')}</legend>
        {list.profiles.map(one => {
          const info = list.models.find(({ id }) => id === one.model);
          const fit = info && fitText(info.fit, list.memory, trans);
          return (
            <label key={one.name} className="jp-LocalCoder-Start-profile">
              <input
                type="radio"
                name={name}
                value={one.name}
                checked={one.name === profile.name}
                onChange={() => {
                  start.choose(one.name);
                }}
              />
              <span>
                <strong>{one.name}</strong>
                {one.name === list.recommended_profile && ` ${trans.__('(recommended)')}`}
                {one.description !== '' && `: ${one.description}`}
                <br />
                <span className="jp-LocalCoder-Start-aside">
                  {info && `${info.name}, ${size(info.size_bytes)}`}
                  {info?.state === 'ready' && `, ${modelStateWord('ready', trans)}`}
                  {fit && ` · ${fit.sign} ${fit.word}: ${fit.sentence}`}
                </span>
              </span>
            </label>
          );
        })}
      </fieldset>
      <Main
        label={
          view?.info.state === 'ready'
            ? trans.__('Use it')
            : view?.info.license_accepted
              ? trans.__('Download %1', size(view.info.size_bytes))
              : trans.__('Continue to the licence')
        }
        onClick={() => {
          start.next();
        }}
        onBack={() => {
          start.back();
        }}
        trans={trans}
      />
      <details className="jp-LocalCoder-Fold">
        <summary>{trans.__('I have a model file')}</summary>
        <ImportForm model={models} trans={trans} onImported={id => void start.useImported(id)} />
      </details>
      <p className="jp-LocalCoder-Start-option">
        <Button label={trans.__('I have a server')} onClick={openProviders} />{' '}
        {trans.__(
          'Ollama, or another server that you add as a provider, can answer your commands and questions. ' +
            'They are then sent to that server.'
        )}
      </p>
    </>
  );
}

export function LicenceStep({ start, trans }: IStartPageOptions): React.JSX.Element | null {
  const { view, models } = start;
  const license = view && models.licenseOf(view.info);
  if (!license) {
    return null;
  }
  return (
    <>
      <p>
        {trans.__(
          '%1 is licensed under “%2”. The download starts after you accept the licence.',
          view.info.name,
          license.name
        )}
      </p>
      <Origins info={view.info} trans={trans} />
      <LicenseText license={license} trans={trans} />
      <Main
        label={trans.__('Accept and download %1', size(view.info.size_bytes))}
        onClick={() => {
          start.next();
        }}
        onBack={() => {
          start.back();
        }}
        trans={trans}
      />
    </>
  );
}

export function DownloadStep({ start, trans }: IStartPageOptions): React.JSX.Element | null {
  const { view, models } = start;
  if (!view) {
    return null;
  }
  const { info, progress } = view;
  const isRunning = progress !== null && progress.activity !== '';
  const note = models.actionState.note(info.id);
  return (
    <>
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
      <NoteOf actionState={models.actionState} id={info.id} trans={trans} />
      <div className="jp-LocalCoder-buttons">
        {isRunning ? (
          <Button label={trans.__('Pause')} onClick={() => void models.stop(info.id)} />
        ) : (
          <Button
            label={again(info, !!note, trans)}
            isAccept
            onClick={() => {
              start.next();
            }}
          />
        )}
        {(isRunning || info.received_bytes > 0) && (
          <Button
            label={trans.__('Cancel')}
            onClick={() => {
              void models.discard(info.id).then(() => {
                start.back();
              });
            }}
          />
        )}
        {!isRunning && (
          <Button
            label={trans.__('Back')}
            onClick={() => {
              start.back();
            }}
          />
        )}
      </div>
      <p className="jp-LocalCoder-Start-aside">
        {trans.__(
          'The download continues if you close this page or tab. The sidebar shows it, too.'
        )}
      </p>
    </>
  );
}

/** What there is to press where nothing is downloaded just now. */
function again(info: ModelInfo, hasFailed: boolean, trans: Translate): string {
  if (info.received_bytes > 0) {
    return trans.__('Resume');
  }
  // Who pauses before the first byte has nothing to resume, and nothing has gone wrong.
  return hasFailed || info.error ? trans.__('Try again') : trans.__('Download');
}

export function WarmStep({ start, trans }: IStartPageOptions): React.JSX.Element | null {
  const { view, models } = start;
  if (!view) {
    return null;
  }
  const { info, isLoading } = view;
  const isWorking = isLoading || models.actionState.isBusy(info.id);
  return (
    <>
      {isWorking && (
        <p role="status">
          {models.backend?.reason ?? ''}{' '}
          {trans.__('The first time, its speed on this machine is also measured.')}
        </p>
      )}
      <NoteOf
        actionState={models.actionState}
        id={info.id}
        trans={trans}
        onForce={() => void models.load(info.id, true)}
      />
      {!isWorking && (
        <Main
          label={trans.__('Load %1', info.name)}
          onClick={() => {
            start.next();
          }}
          onBack={() => {
            start.back();
          }}
          trans={trans}
        />
      )}
    </>
  );
}

export function TryStep(props: IStartPageOptions): React.JSX.Element | null {
  const { start, channel, trans, openNotebook } = props;
  const { view, models } = start;
  if (!view) {
    return null;
  }
  const { id, name, speed } = view.info;
  const loaded = models.loadOf(id);
  const rows = [
    { name: trans.__('Model'), value: name },
    {
      name: trans.__('Loaded in'),
      value: loaded ? trans.__('%1 s', (loaded.load_ms / 1000).toFixed(1)) : ''
    },
    {
      name: trans.__('Reads'),
      value: speed ? perSecond(speed.prefill_tokens_per_second, trans) : ''
    },
    {
      name: trans.__('Writes'),
      value: speed ? perSecond(speed.decode_tokens_per_second, trans) : ''
    }
  ];
  return (
    <>
      <Rows rows={rows.filter(({ value }) => value !== '')} />
      <FirstCompletion channel={channel} model={id} trans={trans} />
      {start.instead !== '' && (
        <div className="jp-LocalCoder-Note" data-severity="info">
          <p>
            {trans.__(
              'In notebooks, %1 is used instead of %2 until you pin %2.',
              models.nameOf(start.instead),
              name
            )}
          </p>
          <Button
            label={trans.__('Pin %1 for code and questions', name)}
            onClick={() => void start.pinImported()}
          />
        </div>
      )}
      {start.isPinned && <p>{pinnedText(trans)}</p>}
      <p>
        {trans.__(
          'In a notebook, suggestions appear in grey when you pause. Press Tab to accept, Escape to ' +
            'dismiss.'
        )}
      </p>
      <Button label={trans.__('Open a notebook')} onClick={openNotebook} />
    </>
  );
}

interface IMainProps {
  label: string;
  onClick: () => void;
  onBack?: () => void;
  trans?: IStartPageOptions['trans'];
}

/** The button that leads on, and the one that leads back. */
function Main({ label, onClick, onBack, trans }: IMainProps): React.JSX.Element {
  return (
    <div className="jp-LocalCoder-buttons">
      <Button label={label} isAccept onClick={onClick} />
      {onBack && trans && <Button label={trans.__('Back')} onClick={onBack} />}
    </div>
  );
}

function Button(props: {
  label: string;
  isAccept?: boolean;
  onClick: () => void;
}): React.JSX.Element {
  return (
    <button
      type="button"
      className={`jp-LocalCoder-button${props.isAccept ? ' jp-mod-accept' : ''}`}
      onClick={props.onClick}
    >
      {props.label}
    </button>
  );
}
