/** How models run: the air gap, what computes, how long a model stays, and how it writes. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import {
  type Acceleration,
  FIELDS,
  type RunMode,
  settingHelp,
  settingLabel,
  type SettingsUpdateRequest,
  type SettingsView
} from '../contract';
import { RUNNING } from '../shared/ui/actionState';
import { Fold } from '../shared/ui/fold';
import { NoteOf } from '../shared/ui/note';
import { NumberSetting, SelectSetting, SwitchSetting } from '../shared/ui/settingFields';
import type { ModelsModel } from './model';
import { accelerationOptions, runModeOptions } from './settings';

const LIMITS = FIELDS.SettingsUpdateRequest;

export interface IRunSettingsProps {
  model: ModelsModel;
  settings: SettingsView;
  trans: TranslationBundle;
}

export function RunSettings({ model, settings, trans }: IRunSettingsProps): React.JSX.Element {
  const { settings: chosen } = settings;
  const shared = { view: settings, trans };
  const atNextRequest = trans.__('The model is reloaded at the next request.');
  const change = (changes: SettingsUpdateRequest): Promise<boolean> =>
    model.change(changes, RUNNING);
  return (
    <div className="jp-LocalCoder-RunSettings">
      <NoteOf actionState={model.actionState} id={RUNNING} trans={trans} />
      <SwitchSetting
        {...shared}
        name="air_gap"
        label={settingLabel('air_gap', trans)}
        help={settingHelp('air_gap', trans)}
        checked={chosen.air_gap}
        onChange={air_gap => void change({ air_gap })}
      />
      <SelectSetting
        {...shared}
        name="acceleration"
        label={settingLabel('acceleration', trans)}
        help={atNextRequest}
        options={accelerationOptions(trans)}
        value={chosen.acceleration}
        onChange={value => void change({ acceleration: value as Acceleration })}
      />
      <SelectSetting
        {...shared}
        name="run_mode"
        label={settingLabel('run_mode', trans)}
        help={atNextRequest}
        options={runModeOptions(trans)}
        value={chosen.run_mode}
        onChange={value => void change({ run_mode: value as RunMode })}
      />
      <NumberSetting
        {...shared}
        name="context_window"
        label={settingLabel('context_window', trans)}
        help={settingHelp('context_window', trans)}
        {...LIMITS.context_window}
        value={chosen.context_window}
        onChange={context_window => void change({ context_window })}
      />
      <SwitchSetting
        {...shared}
        name="keep_resident"
        label={settingLabel('keep_resident', trans)}
        help={settingHelp('keep_resident', trans)}
        checked={chosen.keep_resident}
        onChange={keep_resident => void change({ keep_resident })}
      />
      <NumberSetting
        {...shared}
        name="idle_minutes"
        label={settingLabel('idle_minutes', trans)}
        help={settingHelp('idle_minutes', trans)}
        {...LIMITS.idle_minutes}
        isDisabled={chosen.keep_resident}
        value={chosen.idle_minutes}
        onChange={idle_minutes => void change({ idle_minutes })}
      />
      <NumberSetting
        {...shared}
        name="completion_timeout_seconds"
        label={settingLabel('completion_timeout_seconds', trans)}
        help={settingHelp('completion_timeout_seconds', trans)}
        {...LIMITS.completion_timeout_seconds}
        step={0.1}
        value={chosen.completion_timeout_seconds}
        onChange={completion_timeout_seconds => void change({ completion_timeout_seconds })}
      />
      <NumberSetting
        {...shared}
        name="completion_max_tokens"
        label={trans.__('Maximum completion length (tokens)')}
        help={trans.__('0 adapts the length to the speed of this machine.')}
        {...LIMITS.completion_max_tokens}
        value={chosen.completion_max_tokens}
        onChange={completion_max_tokens => void change({ completion_max_tokens })}
      />
      <NumberSetting
        {...shared}
        name="completion_temperature"
        label={trans.__('Completion temperature')}
        help={trans.__('0 to 2. 0 is greedy: the same text for the same code.')}
        {...LIMITS.completion_temperature}
        step={0.1}
        value={chosen.completion_temperature}
        onChange={completion_temperature => void change({ completion_temperature })}
      />
      <SwitchSetting
        {...shared}
        name="prewarm"
        label={settingLabel('prewarm', trans)}
        help={settingHelp('prewarm', trans)}
        checked={chosen.prewarm}
        onChange={prewarm => void change({ prewarm })}
      />
      <Fold title={trans.__('Answer settings')}>
        <NumberSetting
          {...shared}
          name="max_tokens"
          label={trans.__('Maximum answer length (tokens)')}
          help={trans.__('For commands and chats, including reasoning.')}
          {...LIMITS.max_tokens}
          value={chosen.max_tokens}
          onChange={max_tokens => void change({ max_tokens })}
        />
        <NumberSetting
          {...shared}
          name="temperature"
          label={trans.__('Temperature')}
          help={trans.__('0 to 2. 0 is greedy; more is more varied.')}
          {...LIMITS.temperature}
          step={0.1}
          value={chosen.temperature}
          onChange={temperature => void change({ temperature })}
        />
        <NumberSetting
          {...shared}
          name="top_k"
          label={trans.__('Top k')}
          help={trans.__('Number of most likely tokens to sample from. 0 disables it.')}
          {...LIMITS.top_k}
          value={chosen.top_k}
          onChange={top_k => void change({ top_k })}
        />
        <NumberSetting
          {...shared}
          name="top_p"
          label={trans.__('Top p')}
          help={trans.__(
            'Sample from the smallest set of tokens with this total probability. 1 disables it.'
          )}
          {...LIMITS.top_p}
          step={0.05}
          value={chosen.top_p}
          onChange={top_p => void change({ top_p })}
        />
        <NumberSetting
          {...shared}
          name="min_p"
          label={trans.__('Min p')}
          help={trans.__(
            'Minimum probability of a token, relative to the most likely token. 0 disables it.'
          )}
          {...LIMITS.min_p}
          step={0.01}
          value={chosen.min_p}
          onChange={min_p => void change({ min_p })}
        />
        <NumberSetting
          {...shared}
          name="repeat_penalty"
          label={trans.__('Repeat penalty')}
          help={trans.__('1 to 2. Use 1 (off) for code, which repeats naturally.')}
          {...LIMITS.repeat_penalty}
          step={0.05}
          value={chosen.repeat_penalty}
          onChange={repeat_penalty => void change({ repeat_penalty })}
        />
      </Fold>
    </div>
  );
}
