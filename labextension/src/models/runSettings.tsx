/** How models run: the air gap, what computes, how long a model stays, how long its context is. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Acceleration, RunMode, SettingsUpdateRequest, SettingsView } from '../contract';
import { RUNNING } from '../panels/errands';
import { NoteOf } from '../panels/note';
import { Choice, NumberField, Switch } from './choice';
import type { ModelsModel } from './model';
import { accelerationOptions, runModeOptions } from './settings';

export interface IRunSettingsProps {
  model: ModelsModel;
  settings: SettingsView;
  trans: TranslationBundle;
}

export function RunSettings({ model, settings, trans }: IRunSettingsProps): React.JSX.Element {
  const { settings: chosen } = settings;
  const shared = { view: settings, trans };
  const atNextRequest = trans.__('The next request loads the model anew with it.');
  const change = (changes: SettingsUpdateRequest): Promise<boolean> =>
    model.change(changes, RUNNING);
  return (
    <div className="jp-LocalCoder-RunSettings">
      <NoteOf errands={model.errands} id={RUNNING} trans={trans} />
      <Switch
        {...shared}
        name="air_gap"
        label={trans.__('Air gap')}
        help={trans.__(
          'Open no connection to another machine: no download, no remote provider. Import models from files.'
        )}
        checked={chosen.air_gap}
        onChange={air_gap => void change({ air_gap })}
      />
      <Choice
        {...shared}
        name="acceleration"
        label={trans.__('Computed by')}
        help={atNextRequest}
        options={accelerationOptions(trans)}
        value={chosen.acceleration}
        onChange={value => void change({ acceleration: value as Acceleration })}
      />
      <Choice
        {...shared}
        name="run_mode"
        label={trans.__('Run mode')}
        help={atNextRequest}
        options={runModeOptions(trans)}
        value={chosen.run_mode}
        onChange={value => void change({ run_mode: value as RunMode })}
      />
      <NumberField
        {...shared}
        name="context_window"
        label={trans.__('Context window (tokens)')}
        help={trans.__('0 takes the one of the profile. More costs memory.')}
        min={0}
        max={1_048_576}
        value={chosen.context_window}
        onChange={context_window => void change({ context_window })}
      />
      <Switch
        {...shared}
        name="keep_resident"
        label={trans.__('Keep the model in memory')}
        help={trans.__('It is never unloaded by itself.')}
        checked={chosen.keep_resident}
        onChange={keep_resident => void change({ keep_resident })}
      />
      <NumberField
        {...shared}
        name="idle_minutes"
        label={trans.__('Unload after minutes without a request')}
        help={trans.__('0 never unloads.')}
        min={0}
        max={10_080}
        disabled={chosen.keep_resident}
        value={chosen.idle_minutes}
        onChange={idle_minutes => void change({ idle_minutes })}
      />
      <NumberField
        {...shared}
        name="completion_timeout_seconds"
        label={trans.__('End a completion after seconds')}
        help={trans.__('What came by then is shown; the model goes on to the next.')}
        min={1}
        max={3600}
        value={chosen.completion_timeout_seconds}
        onChange={completion_timeout_seconds => void change({ completion_timeout_seconds })}
      />
      <Switch
        {...shared}
        name="prewarm"
        label={trans.__('Load the model when a notebook is opened')}
        help={trans.__('The first completion comes at once; memory is taken earlier.')}
        checked={chosen.prewarm}
        onChange={prewarm => void change({ prewarm })}
      />
    </div>
  );
}
