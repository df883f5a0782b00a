/** What stands beside a question, as chips. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Reference } from '../contract';
import { chipLabel } from './words';

/** So much of a text is shown when the pointer rests on its chip. */
const SHOWN_CHARS = 600;

export interface IChipsProps {
  references: readonly Reference[];
  /** Absent where they cannot be taken away any more. */
  onRemove?: (index: number) => void;
  trans: TranslationBundle;
}

export function Chips({ references, onRemove, trans }: IChipsProps): React.JSX.Element | null {
  if (references.length === 0) {
    return null;
  }
  return (
    <ul className="jp-LocalCoder-Chips" aria-label={trans.__('Attached context')}>
      {references.map((reference, index) => {
        const label = chipLabel(reference, trans);
        return (
          <li key={index} title={reference.text.slice(0, SHOWN_CHARS)}>
            {label}
            {onRemove && (
              <button
                type="button"
                aria-label={trans.__('Remove %1', label)}
                onClick={() => {
                  onRemove(index);
                }}
              />
            )}
          </li>
        );
      })}
    </ul>
  );
}
