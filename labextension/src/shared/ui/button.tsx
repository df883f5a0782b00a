/** A button that keeps the focus while it cannot be used: who came to it by the keyboard stays where they are. */

import * as React from 'react';

export interface IButtonProps {
  label: string;
  /** What the button does, to who does not see what stands around it; begins with the label. */
  name?: string;
  kind?: 'accept' | 'warn';
  isOff?: boolean;
  /** Why it is off. */
  title?: string;
  /** By which the focus comes back to it. */
  anchor?: string;
  onClick: () => void;
}

export function Button(props: IButtonProps): React.JSX.Element {
  const { label, name, kind, isOff = false, title, anchor, onClick } = props;
  return (
    <button
      type="button"
      className={`jp-LocalCoder-button${kind ? ` jp-mod-${kind}` : ''}`}
      aria-label={name}
      aria-disabled={isOff}
      title={title}
      data-anchor={anchor}
      onClick={() => {
        if (!isOff) {
          onClick();
        }
      }}
    >
      {label}
    </button>
  );
}
