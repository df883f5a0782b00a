/** The prompt inspector: exactly what the model has read for the last answer, and where the time went. */

import { Clipboard, Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Panel } from '@lumino/widgets';
import * as React from 'react';

import { CODES, type Inspection } from '../contract';
import { ChannelError, type IChannel } from '../shared/tokens';
import { factRows, sourceRows } from './rows';

const COPIED_MS = 5000;

/** Show the inspection of a run, of the last one if none is named, until the person closes it. */
export async function showInspector(
  channel: IChannel,
  trans: TranslationBundle,
  run = ''
): Promise<void> {
  let found: Inspection | string;
  try {
    found = await channel.request('context:inspect', { run });
  } catch (reason) {
    found = whyNothing(reason, trans);
  }
  // A panel around it, so that the dialog takes the focus at once: see status/details.tsx.
  const body = new Panel();
  body.addClass('jp-LocalCoder-Inspector');
  body.addWidget(ReactWidget.create(<Inspector found={found} trans={trans} />));
  const close = Dialog.okButton({ label: trans.__('Close') });
  const copy = Dialog.createButton({
    label: trans.__('Copy Redacted'),
    caption: trans.__('Copy the prompt with every character replaced, for a bug report'),
    accept: false
  });
  const { button } = await showDialog({
    title: trans.__('Prompt inspector'),
    body,
    buttons: typeof found === 'string' ? [close] : [copy, close],
    defaultButton: typeof found === 'string' ? 0 : 1
  });
  if (button.label === copy.label && typeof found !== 'string') {
    Clipboard.copyToSystem(report(found));
    Notification.success(trans.__('Redacted prompt copied.'), { autoClose: COPIED_MS });
  }
}

function whyNothing(reason: unknown, trans: TranslationBundle): string {
  if (!(reason instanceof ChannelError)) {
    return String(reason);
  }
  return reason.code === CODES.NOT_FOUND
    ? trans.__('No prompt yet: request a suggestion, and open the inspector again.')
    : `${reason.payload.message} ${reason.payload.recovery}`.trim();
}

/** What can be shown around: structure, numbers, and no content. */
function report({ redacted, parts, usage, timings, model, finish, withheld }: Inspection): string {
  return JSON.stringify(
    { parts, usage, timings, model, finish, withheld, prompt: redacted },
    null,
    2
  );
}

function Inspector(props: {
  found: Inspection | string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { found, trans } = props;
  if (typeof found === 'string') {
    return <p>{found}</p>;
  }
  const { rows, total } = sourceRows(found, trans);
  return (
    <>
      {rows.length > 0 && (
        <table className="jp-LocalCoder-Inspector-sources">
          <caption>{trans.__('Tokens by source')}</caption>
          <thead>
            <tr>
              <th scope="col">{trans.__('Source')}</th>
              <th scope="col">{trans.__('Tokens')}</th>
              <th scope="col">{trans.__('Left out')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ source, tokens, leftOut }, index) => (
              <tr key={index}>
                <th scope="row">{source}</th>
                <td>{tokens}</td>
                <td>{leftOut}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{total.source}</th>
              <td>{total.tokens}</td>
              <td>{total.leftOut}</td>
            </tr>
          </tfoot>
        </table>
      )}
      <dl>
        {factRows(found, trans).map(({ name, value }) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
      </dl>
      <h3 id="jp-LocalCoder-Inspector-prompt">{trans.__('Exact prompt')}</h3>
      <pre
        className="jp-LocalCoder-Inspector-prompt"
        tabIndex={0}
        role="region"
        aria-labelledby="jp-LocalCoder-Inspector-prompt"
      >
        {found.prompt}
      </pre>
    </>
  );
}
