/** A checkbox or a switch with its label. */

import * as React from 'react';

export interface ICheckboxProps {
  label: string;
  checked: boolean;
  /** A switch takes effect at once; a checkbox of a form, when the form is submitted. */
  isSwitch?: boolean;
  isDisabled?: boolean;
  /** Tooltip. */
  title?: string;
  'aria-describedby'?: string;
  onChange: (checked: boolean) => void;
}

export function Checkbox(props: ICheckboxProps): React.JSX.Element {
  const id = React.useId();
  return (
    <label className="jp-LocalCoder-Switch" htmlFor={id} title={props.title}>
      <input
        id={id}
        type="checkbox"
        role={props.isSwitch ? 'switch' : undefined}
        className="jp-mod-styled"
        checked={props.checked}
        disabled={props.isDisabled}
        aria-describedby={props['aria-describedby']}
        onChange={event => {
          props.onChange(event.target.checked);
        }}
      />
      {props.label}
    </label>
  );
}
