/** The top of the panel: what answers now, and what is to answer. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { managerText, type ModelList, settingLabel, type SettingsView } from '../contract';
import { residents } from '../shared/service/residents';
import { stateWord } from '../shared/text/stateWord';
import { size } from '../shared/text/units';
import { SelectSetting } from '../shared/ui/settingFields';
import { EngineError } from './engineError';
import type { ModelsModel } from './model';
import { modelOptions, pinnedText } from './settings';

export interface IModelsHeadProps {
  model: ModelsModel;
  list: ModelList;
  settings: SettingsView;
  trans: TranslationBundle;
  onStart: () => void;
}

export function Head({
  model,
  list,
  settings,
  trans,
  onStart
}: IModelsHeadProps): React.JSX.Element {
  const { models } = model;
  const chosen = settings.settings;
  const active = list.profiles.find(({ name }) => name === list.active_profile);
  const profiles = [
    { value: 'auto', label: managerText('automatic', trans, list.recommended_profile) },
    ...list.profiles.map(({ name }) => ({ value: name, label: name }))
  ];
  const isEmpty = models.every(({ info }) => info.state !== 'ready');
  const shared = { view: settings, trans };
  /** Id of the model that answers where none is chosen by hand. */
  const byProfile = (name: 'model' | 'general_model'): string => {
    const answers = name === 'model' ? list.code_model : list.general_model;
    return chosen[name] === '' && answers ? answers : (active?.[name] ?? '');
  };
  return (
    <section className="jp-LocalCoder-Head" aria-label={trans.__('Active models')}>
      {chosen.air_gap && (
        <p className="jp-LocalCoder-AirGap">
          <strong>{trans.__('Air gap on')}</strong> {managerText('connections-blocked', trans)}
        </p>
      )}
      <EngineError list={list} />
      <Loaded {...{ model, list, trans }} />
      {isEmpty && (
        <div className="jp-LocalCoder-Note" data-severity="info">
          <p>{trans.__('There is no model on this machine yet.')}</p>
          <div className="jp-LocalCoder-buttons">
            <button type="button" className="jp-LocalCoder-button jp-mod-accept" onClick={onStart}>
              {trans.__('Set up step by step')}
            </button>
          </div>
        </div>
      )}
      <SelectSetting
        {...shared}
        name="profile"
        label={settingLabel('profile', trans)}
        help={chosen.profile === 'auto' ? list.profile_reason : (active?.description ?? '')}
        options={profiles}
        value={chosen.profile}
        onChange={profile => void model.change({ profile })}
      />
      <SelectSetting
        {...shared}
        name="model"
        label={settingLabel('model', trans)}
        help={chosen.model !== '' ? pinnedText(trans) : ''}
        options={modelOptions(models, chosen.model, 'code', byProfile('model'), trans)}
        value={chosen.model}
        onChange={id => void model.change({ model: id || null })}
      />
      <SelectSetting
        {...shared}
        name="general_model"
        label={settingLabel('general_model', trans)}
        help={chosen.general_model !== '' ? pinnedText(trans) : ''}
        options={modelOptions(
          models,
          chosen.general_model,
          'general',
          byProfile('general_model'),
          trans
        )}
        value={chosen.general_model}
        onChange={id => void model.change({ general_model: id || null })}
      />
    </section>
  );
}

/** The loaded model, what it holds, and the button that frees it. */
function Loaded(props: Pick<IModelsHeadProps, 'model' | 'list' | 'trans'>): React.JSX.Element {
  const { model, list, trans } = props;
  const { backend } = model;
  const { memory } = list;
  const free = managerText('memory-available', trans, size(memory.available_bytes));
  const kernels =
    memory.kernels > 0
      ? managerText('kernels-use', trans, size(memory.kernels_bytes))
      : trans.__('No kernel is open.');
  const held = backend ? residents(backend) : [];
  return (
    <div className="jp-LocalCoder-Loaded">
      {held.length === 0 && (
        <p>
          <strong>{managerText('nothing-loaded', trans)}</strong>
        </p>
      )}
      {held.map(one => (
        <React.Fragment key={one.model}>
          <p>
            <strong>{model.nameOf(one.model)}</strong>:{' '}
            {stateWord(one.state === 'busy' ? 'ready' : one.state, trans)}
            {held.length === 1 && memory.worker_bytes > 0 && `, ${size(memory.worker_bytes)}`}
          </p>
          {one.state === 'failed' && <p>{one.reason}</p>}
          {one.warning && (
            <p className="jp-LocalCoder-Note" data-severity="warning">
              {one.warning.message} {one.warning.action}
            </p>
          )}
        </React.Fragment>
      ))}
      {held.length > 1 && memory.worker_bytes > 0 && (
        <p>{trans.__('Together they use %1.', size(memory.worker_bytes))}</p>
      )}
      {backend && backend.residency !== '' && (
        <p className="jp-LocalCoder-Field-help">{backend.residency}</p>
      )}
      <p className="jp-LocalCoder-Field-help">
        {free} {kernels}
      </p>
      {held.length > 0 && (
        <div className="jp-LocalCoder-buttons">
          <button
            type="button"
            className="jp-LocalCoder-button"
            onClick={() => void model.unload()}
          >
            {managerText('free-memory', trans)}
          </button>
        </div>
      )}
    </div>
  );
}
