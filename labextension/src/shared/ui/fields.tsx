/** Fields of forms and settings: a label, a control, and below it a help text or an error. */

import * as React from 'react';

import { Checkbox } from './checkbox';

export interface IOption {
  value: string;
  label: string;
}

export interface IFieldProps {
  label: string;
  /** A sentence below the control. */
  help?: string;
  /** What is wrong with the value; replaces the help. Empty if it is valid. */
  fault?: string;
  isShown?: boolean;
  isDisabled?: boolean;
}

/** Attributes that connect a control with its label and with the text below it. */
interface IControlAttributes {
  id: string;
  disabled: boolean | undefined;
  'aria-invalid': boolean;
  'aria-describedby': string;
}

interface ILayoutProps extends IFieldProps {
  control: (attributes: IControlAttributes) => React.ReactNode;
}

function Layout(props: ILayoutProps): React.JSX.Element | null {
  const id = React.useId();
  if (props.isShown === false) {
    return null;
  }
  return (
    <div className="jp-LocalCoder-Field">
      <label htmlFor={id}>{props.label}</label>
      {props.control({
        id,
        disabled: props.isDisabled,
        'aria-invalid': Boolean(props.fault),
        'aria-describedby': `${id}-help`
      })}
      <Help id={`${id}-help`} field={props} />
    </div>
  );
}

function Help({ id, field }: { id: string; field: IFieldProps }): React.JSX.Element {
  const hasFault = Boolean(field.fault);
  const text = hasFault ? field.fault : field.help;
  return (
    <p
      id={id}
      className="jp-LocalCoder-Field-help"
      data-severity={hasFault ? 'error' : 'info'}
      hidden={!text}
    >
      {text}
    </p>
  );
}

export interface ITextProps extends IFieldProps {
  value: string;
  placeholder?: string;
  suggestions?: readonly string[];
  maxLength?: number;
  isNumber?: boolean;
  /** The text is hidden, and the browser neither stores nor corrects it. */
  isSecret?: boolean;
  onChange: (value: string) => void;
}

export function TextField(props: ITextProps): React.JSX.Element {
  const { value, suggestions = [], onChange } = props;
  return (
    <Layout
      {...props}
      control={attributes => {
        const list = suggestions.length > 0 ? `${attributes.id}-list` : undefined;
        return (
          <>
            <input
              {...attributes}
              className="jp-mod-styled"
              type={props.isSecret ? 'password' : 'text'}
              inputMode={props.isNumber ? 'decimal' : 'text'}
              autoComplete={props.isSecret ? 'new-password' : 'off'}
              autoCapitalize="off"
              spellCheck={false}
              // React writes a controlled value into an attribute; a secret must not be there.
              {...(props.isSecret ? {} : { value })}
              placeholder={props.placeholder}
              maxLength={props.maxLength}
              list={list}
              onChange={event => {
                onChange(event.target.value);
              }}
            />
            {list && (
              <datalist id={list}>
                {suggestions.map(one => (
                  <option key={one} value={one} />
                ))}
              </datalist>
            )}
          </>
        );
      }}
    />
  );
}

export interface ITextAreaProps extends IFieldProps {
  value: string;
  rows: number;
  onChange: (value: string) => void;
}

export function TextAreaField(props: ITextAreaProps): React.JSX.Element {
  return (
    <Layout
      {...props}
      control={attributes => (
        <textarea
          {...attributes}
          className="jp-mod-styled"
          rows={props.rows}
          value={props.value}
          onChange={event => {
            props.onChange(event.target.value);
          }}
        />
      )}
    />
  );
}

export interface INumberProps extends IFieldProps {
  value: number;
  min: number;
  max: number;
  /** Increment of the arrow keys; 1 for integers. */
  step?: number;
  onChange: (value: number) => void;
}

/** A number that is reported when editing ends, not with each digit. */
export function NumberField(props: INumberProps): React.JSX.Element {
  const { value, min, max, onChange } = props;
  const [text, setText] = React.useState(String(value));
  React.useEffect(() => {
    setText(String(value));
  }, [value]);
  const finish = (): void => {
    const number = Number(text);
    if (text.trim() === '' || Number.isNaN(number)) {
      setText(String(value));
    } else if (number !== value) {
      // The service rejects a number outside the range, and its error states the range.
      onChange(number);
    }
  };
  return (
    <Layout
      {...props}
      control={attributes => (
        <input
          {...attributes}
          type="number"
          className="jp-mod-styled"
          {...{ min, max }}
          step={props.step ?? 1}
          value={text}
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
      )}
    />
  );
}

export interface ISelectProps extends IFieldProps {
  value: string;
  options: readonly IOption[];
  onChange: (value: string) => void;
}

export function SelectField(props: ISelectProps): React.JSX.Element {
  return (
    <Layout
      {...props}
      control={attributes => (
        <select
          {...attributes}
          className="jp-LocalCoder-select"
          value={props.value}
          onChange={event => {
            props.onChange(event.target.value);
          }}
        >
          {props.options.map(option => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    />
  );
}

export interface ICheckProps extends IFieldProps {
  checked: boolean;
  isSwitch?: boolean;
  onChange: (checked: boolean) => void;
}

/** A checkbox contains its own label, so it has another layout than the other fields. */
export function CheckField(props: ICheckProps): React.JSX.Element | null {
  const id = React.useId();
  if (props.isShown === false) {
    return null;
  }
  return (
    <div className="jp-LocalCoder-Field">
      <Checkbox {...props} aria-describedby={id} />
      <Help id={id} field={props} />
    </div>
  );
}
