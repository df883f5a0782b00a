/** How the titles of answers are made: whether, by whom, and how long one may take. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { EMBEDDED, FIELDS, type TitleConfig } from '../contract';
import { Button } from '../shared/ui/button';
import { CheckField, SelectField, TextField } from '../shared/ui/fields';
import { Fold } from '../shared/ui/fold';
import { Note } from '../shared/ui/note';
import { layerText } from '../shared/ui/setting';
import { type HistoryModel, TITLES } from './model';
import { secondsFault, titlesGoText } from './words';

const SECONDS = FIELDS.SettingsUpdateRequest.title_timeout_seconds;

interface ITitlesProps {
  model: HistoryModel;
  trans: TranslationBundle;
}

export function Titles({ model, trans }: ITitlesProps): React.JSX.Element {
  const { titles } = model;
  const note = model.actionState.note(TITLES);
  return (
    <Fold
      title={trans.__('Title settings')}
      onOpen={() => {
        void model.openTitles();
      }}
    >
      {titles && titles.problem !== '' && (
        <p className="jp-LocalCoder-Note" data-severity="warning">
          {titles.problem}
        </p>
      )}
      {titles && <Form {...{ model, titles, trans }} />}
      {note && (
        <Note
          note={note}
          trans={trans}
          onDismiss={() => {
            model.actionState.dismiss(TITLES);
          }}
        />
      )}
    </Fold>
  );
}

function Form({ model, titles, trans }: ITitlesProps & { titles: TitleConfig }): React.JSX.Element {
  const [isEnabled, setEnabled] = React.useState(titles.enabled);
  const [provider, setProvider] = React.useState(titles.provider || EMBEDDED);
  const [name, setName] = React.useState(titles.model);
  const [seconds, setSeconds] = React.useState(String(titles.timeout_seconds));
  React.useEffect(() => {
    setEnabled(titles.enabled);
    setProvider(titles.provider || EMBEDDED);
    setName(titles.model);
    setSeconds(String(titles.timeout_seconds));
  }, [titles]);
  const fault = secondsFault(seconds, trans);
  const isEmbedded = provider === EMBEDDED;
  const fixed = (name: keyof TitleConfig): string => layerText(titles.sources[name], trans);
  const options = model.providers.map(({ id, name: label }) => ({ value: id, label }));
  return (
    <>
      <CheckField
        label={trans.__('Generate titles')}
        help={
          fixed('enabled') ||
          trans.__('A short title for each answer, generated when the model is idle.')
        }
        checked={isEnabled}
        onChange={setEnabled}
      />
      <SelectField
        label={trans.__('Provider')}
        help={[fixed('provider'), titlesGoText(model.providers, provider, trans)].join(' ').trim()}
        options={
          options.some(({ value }) => value === provider)
            ? options
            : [...options, { value: provider, label: trans.__('%1 (not available)', provider) }]
        }
        value={provider}
        onChange={chosen => {
          setProvider(chosen);
          // A model is one of its provider's.
          setName(chosen === (titles.provider || EMBEDDED) ? titles.model : '');
        }}
      />
      <TextField
        label={trans.__('Model')}
        help={
          fixed('model') ||
          (isEmbedded
            ? trans.__('Leave empty to use the loaded model. No model is loaded only for titles.')
            : trans.__('Leave empty to use the model configured for the provider.'))
        }
        value={name}
        maxLength={FIELDS.TitleConfigSetRequest.model.maxLength}
        onChange={setName}
      />
      <TextField
        label={trans.__('Time limit (seconds)')}
        help={
          fixed('timeout_seconds') ||
          trans.__(
            '%1 to %2. After this time, the model name is shown instead.',
            SECONDS.min,
            SECONDS.max
          )
        }
        fault={fault}
        isNumber
        value={seconds}
        onChange={setSeconds}
      />
      <div className="jp-LocalCoder-buttons">
        <Button
          label={trans.__('Save')}
          name={trans.__('Save title settings')}
          isOff={fault !== '' || model.actionState.isBusy(TITLES)}
          onClick={() =>
            void model.makeTitles({
              enabled: isEnabled,
              provider: isEmbedded ? '' : provider,
              model: name.trim(),
              timeout_seconds: Number(seconds)
            })
          }
        />
      </div>
    </>
  );
}
