/** What a model reasoned before it answered: folded away, as plain text, and no part of the answer. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Fold } from '../ui/fold';
import { plain } from './plain';

export interface IReasoningProps {
  reasoning: string;
  trans: TranslationBundle;
}

export function Reasoning({ reasoning, trans }: IReasoningProps): React.JSX.Element | null {
  const text = plain(reasoning).trim();
  if (text === '') {
    return null;
  }
  return (
    <div className="jp-LocalCoder-Reasoning">
      <Fold title={trans._n('Reasoning (%1 character)', 'Reasoning (%1 characters)', text.length)}>
        <pre tabIndex={0} aria-label={trans.__('Reasoning')}>
          {text}
        </pre>
      </Fold>
    </div>
  );
}
