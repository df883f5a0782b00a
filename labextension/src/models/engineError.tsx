/** Why no model can run on this machine, and the command that mends it; nothing where one can. */

import * as React from 'react';

import type { ModelList } from '../contract';

export function EngineError({ list }: { list: ModelList | null }): React.JSX.Element | null {
  const error = list?.engine_error ?? null;
  return (
    error && (
      <div className="jp-LocalCoder-Note" data-severity="warning" role="note">
        <p>{error.message}</p>
        <p>{error.recovery}</p>
      </div>
    )
  );
}
