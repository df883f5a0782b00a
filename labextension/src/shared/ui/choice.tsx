/** A setting: a labelled choice, switched off with the reason where it is fixed elsewhere. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Settings, SettingsView } from '../../contract';
import { fixedText, type IOption } from './setting';

interface ISettingFieldProps {
  name: keyof Settings;
  label: string;
  /** A sentence below it. */
  help?: string;
  view: SettingsView;
  trans: TranslationBundle;
}

export interface IChoiceProps extends ISettingFieldProps {
  options: readonly IOption[];
  value: string;
  onChange: (value: string) => void;
}

export function Choice(props: IChoiceProps): React.JSX.Element {
  const { options, value, onChange } = props;
  const id = React.useId();
  const fixed = fixedText(props.view, props.name, props.trans);
  return (
    <div className="jp-LocalCoder-Field">
      <label htmlFor={id}>{props.label}</label>
      <select
        id={id}
        className="jp-LocalCoder-select"
        value={value}
        disabled={fixed !== ''}
        aria-describedby={`${id}-help`}
        onChange={event => {
          onChange(event.target.value);
        }}
      >
        {options.map(option => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <Help id={`${id}-help`} text={fixed || props.help} />
    </div>
  );
}

export interface ISwitchProps extends ISettingFieldProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
}

export function Switch(props: ISwitchProps): React.JSX.Element {
  const id = React.useId();
  const fixed = fixedText(props.view, props.name, props.trans);
  return (
    <div className="jp-LocalCoder-Field">
      <label className="jp-LocalCoder-Switch" htmlFor={id}>
        <input
          id={id}
          type="checkbox"
          role="switch"
          className="jp-mod-styled"
          checked={props.checked}
          disabled={fixed !== ''}
          aria-describedby={`${id}-help`}
          onChange={event => {
            props.onChange(event.target.checked);
          }}
        />
        {props.label}
      </label>
      <Help id={`${id}-help`} text={fixed || props.help} />
    </div>
  );
}

export interface INumberProps extends ISettingFieldProps {
  value: number;
  min: number;
  max: number;
  /** Between two values that the arrows choose; 1 where it is a whole number. */
  step?: number;
  disabled?: boolean;
  onChange: (value: number) => void;
}

/** A number that is sent when it is finished, and not with each digit. */
export function NumberField(props: INumberProps): React.JSX.Element {
  const { value, min, max, onChange } = props;
  const id = React.useId();
  const [text, setText] = React.useState(String(value));
  React.useEffect(() => {
    setText(String(value));
  }, [value]);
  const fixed = fixedText(props.view, props.name, props.trans);
  const finish = (): void => {
    const number = Number(text);
    if (text.trim() === '' || Number.isNaN(number)) {
      setText(String(value));
    } else if (number !== value) {
      // What cannot be is refused by the service, with the range.
      onChange(number);
    }
  };
  return (
    <div className="jp-LocalCoder-Field">
      <label htmlFor={id}>{props.label}</label>
      <input
        id={id}
        type="number"
        className="jp-mod-styled"
        {...{ min, max }}
        step={props.step ?? 1}
        value={text}
        disabled={fixed !== '' || props.disabled}
        aria-describedby={`${id}-help`}
        onChange={event => {
          setText(event.target.value);
        }}
        onBlur={finish}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            finish();
          }
        }}
      />
      <Help id={`${id}-help`} text={fixed || props.help} />
    </div>
  );
}

function Help({ id, text }: { id: string; text: string | undefined }): React.JSX.Element {
  return (
    <p id={id} className="jp-LocalCoder-Field-help" hidden={!text}>
      {text}
    </p>
  );
}
