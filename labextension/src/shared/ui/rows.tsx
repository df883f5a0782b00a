/** Pairs of a name and a value, for people to read. */

import * as React from 'react';

export interface IRow {
  name: string;
  value: string;
}

export function Rows({ rows }: { rows: readonly IRow[] }): React.JSX.Element {
  return (
    <dl className="jp-LocalCoder-rows">
      {rows.map(({ name, value }) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}
