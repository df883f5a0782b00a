/** The fields of a form: a label, what is typed or chosen, and below it what helps or what is wrong. */

import * as React from 'react';

export interface IFormFieldProps {
  label: string;
  /** A sentence below it. */
  help?: string;
  /** What is wrong; takes the place of the help. */
  fault: string;
  isShown: boolean;
}

export interface ITextProps extends IFormFieldProps {
  value: string;
  placeholder?: string;
  suggestions?: readonly string[];
  maxLength?: number;
  isNumber?: boolean;
  /** What is typed is not shown, not remembered and not corrected. */
  isSecret?: boolean;
  onChange: (value: string) => void;
}

export function TextField(props: ITextProps): React.JSX.Element | null {
  const { label, value, suggestions = [], fault, onChange } = props;
  const id = React.useId();
  if (!props.isShown) {
    return null;
  }
  const inputMode = props.isNumber ? 'decimal' : 'text';
  return (
    <div className="jp-LocalCoder-Field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="jp-mod-styled"
        type={props.isSecret ? 'password' : 'text'}
        inputMode={inputMode}
        autoComplete={props.isSecret ? 'new-password' : 'off'}
        autoCapitalize="off"
        spellCheck={false}
        // React writes a value that it controls into an attribute, where a secret has no business.
        {...(props.isSecret ? {} : { value })}
        placeholder={props.placeholder}
        maxLength={props.maxLength}
        list={suggestions.length > 0 ? `${id}-list` : undefined}
        aria-invalid={fault !== ''}
        aria-describedby={`${id}-help`}
        onChange={event => {
          onChange(event.target.value);
        }}
      />
      {suggestions.length > 0 && (
        <datalist id={`${id}-list`}>
          {suggestions.map(one => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
      <Help id={`${id}-help`} help={props.help} fault={fault} />
    </div>
  );
}

export interface ISelectProps extends IFormFieldProps {
  value: string;
  options: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
}

export function SelectField(props: ISelectProps): React.JSX.Element | null {
  const { label, value, options, fault, onChange } = props;
  const id = React.useId();
  if (!props.isShown) {
    return null;
  }
  return (
    <div className="jp-LocalCoder-Field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className="jp-LocalCoder-select"
        value={value}
        aria-invalid={fault !== ''}
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
      <Help id={`${id}-help`} help={props.help} fault={fault} />
    </div>
  );
}

export interface ICheckProps extends IFormFieldProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
}

export function CheckField(props: ICheckProps): React.JSX.Element | null {
  const id = React.useId();
  if (!props.isShown) {
    return null;
  }
  return (
    <div className="jp-LocalCoder-Field">
      <label className="jp-LocalCoder-Switch" htmlFor={id}>
        <input
          id={id}
          type="checkbox"
          className="jp-mod-styled"
          checked={props.checked}
          aria-describedby={`${id}-help`}
          onChange={event => {
            props.onChange(event.target.checked);
          }}
        />
        {props.label}
      </label>
      <Help id={`${id}-help`} help={props.help} fault={props.fault} />
    </div>
  );
}

function Help(props: { id: string; help: string | undefined; fault: string }): React.JSX.Element {
  const text = props.fault || props.help;
  return (
    <p
      id={props.id}
      className="jp-LocalCoder-Field-help"
      data-severity={props.fault ? 'error' : 'info'}
      hidden={!text}
    >
      {text}
    </p>
  );
}
