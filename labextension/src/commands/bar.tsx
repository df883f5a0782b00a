/** The head and the buttons of a command's panel. */

import { Checkbox } from '../shared/ui/checkbox';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Privacy } from './privacy';
import type { TrialOutcome } from './trial';
import type { CommandAction, ICommandView } from './view';
import { actionLabel, privacyHelp, trialText } from './words';

export interface ICommandHeadProps {
  title: string;
  view: ICommandView;
  /** Who answered; who is asked where that is not the embedded model; else empty. */
  model: string;
  trial: TrialOutcome;
  trans: TranslationBundle;
}

export function Head(props: ICommandHeadProps): React.JSX.Element {
  const { title, view, model, trial } = props;
  const said = trialText(trial, props.trans);
  return (
    <div className="jp-LocalCoder-Command-head">
      <span className="jp-LocalCoder-Command-title">{title}</span>
      {/* There from the start and apart from the text that streams: so each state is heard once. */}
      <span role="status" aria-live="polite" data-severity={view.severity}>
        {view.message} {view.recovery}{' '}
        {said !== '' && (
          <span
            className="jp-LocalCoder-Command-trial"
            data-severity={trial.kind === 'verdict' && trial.isBad ? 'warning' : 'info'}
          >
            {said}
          </span>
        )}
      </span>
      {model !== '' && <span className="jp-LocalCoder-Command-model">{model}</span>}
    </div>
  );
}

export interface IButtonsProps {
  actions: readonly CommandAction[];
  onAction: (action: CommandAction) => void;
  /** Absent where nothing can be asked for again. Answers whether it was: else the sentence stays. */
  onRefine?: (sentence: string) => boolean;
  /** Absent where nothing can be asked for again. */
  privacy?: Privacy;
  trans: TranslationBundle;
}

export function Buttons(props: IButtonsProps): React.JSX.Element {
  const { actions, onAction, onRefine, privacy, trans } = props;
  const [sentence, setSentence] = React.useState('');
  const submit = (event: React.FormEvent): void => {
    event.preventDefault();
    if (sentence.trim() !== '' && onRefine?.(sentence.trim())) {
      setSentence('');
    }
  };
  return (
    <div className="jp-LocalCoder-buttons">
      {actions.map(action => (
        <button
          key={action}
          type="button"
          data-action={action}
          className={`jp-LocalCoder-button${action === 'accept' ? ' jp-mod-accept' : ''}`}
          onClick={() => {
            onAction(action);
          }}
        >
          {actionLabel(action, trans)}
        </button>
      ))}
      {actions.includes('retry') && (
        <form className="jp-LocalCoder-Command-refine" onSubmit={submit}>
          <input
            className="jp-mod-styled"
            value={sentence}
            placeholder={trans.__('Refine, for example: keep the comments')}
            aria-label={trans.__('Refine the instruction')}
            onChange={event => {
              setSentence(event.target.value);
            }}
          />
          <button type="submit" className="jp-LocalCoder-button" disabled={sentence.trim() === ''}>
            {trans.__('Refine')}
          </button>
        </form>
      )}
      {privacy && actions.includes('retry') && (
        <Checkbox
          label={trans.__('Private')}
          title={privacyHelp(trans)}
          checked={privacy.isOn}
          onChange={checked => {
            privacy.set(checked);
          }}
        />
      )}
    </div>
  );
}
