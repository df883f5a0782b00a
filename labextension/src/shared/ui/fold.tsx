/** A part that is folded away until somebody wants it. */

import * as React from 'react';

export interface IFoldProps {
  title: string;
  /** Opens it when that becomes true; nothing but the person closes it. */
  isWanted?: boolean;
  /** It was opened. */
  onOpen?: () => void;
  children: React.ReactNode;
}

export function Fold({ title, isWanted, onOpen, children }: IFoldProps): React.JSX.Element {
  const details = React.useRef<HTMLDetailsElement>(null);
  React.useEffect(() => {
    if (isWanted && details.current) {
      details.current.open = true;
    }
  }, [isWanted]);
  return (
    <details
      ref={details}
      className="jp-LocalCoder-Fold"
      onToggle={event => {
        if (event.currentTarget.open) {
          onOpen?.();
        }
      }}
    >
      <summary>{title}</summary>
      {children}
    </details>
  );
}
