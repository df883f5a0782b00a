/** Fields that edit a setting: disabled, with the reason as help, if the setting is fixed elsewhere. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Settings, SettingsView } from '../../contract';
import {
  CheckField,
  type ICheckProps,
  type IFieldProps,
  type INumberProps,
  type ISelectProps,
  NumberField,
  SelectField
} from './fields';
import { fixedText } from './setting';

interface ISettingProps {
  name: keyof Settings;
  view: SettingsView;
  trans: TranslationBundle;
}

/** Properties of the field for a setting. */
function fieldProps<P extends IFieldProps & ISettingProps>(props: P): P {
  const fixed = fixedText(props.view, props.name, props.trans);
  return {
    ...props,
    help: fixed || props.help,
    isDisabled: fixed !== '' || props.isDisabled
  };
}

export function SelectSetting(props: ISelectProps & ISettingProps): React.JSX.Element {
  return <SelectField {...fieldProps(props)} />;
}

export function SwitchSetting(props: ICheckProps & ISettingProps): React.JSX.Element {
  return <CheckField {...fieldProps(props)} isSwitch />;
}

export function NumberSetting(props: INumberProps & ISettingProps): React.JSX.Element {
  return <NumberField {...fieldProps(props)} />;
}
