/** A licence, whole, and the dialog that comes before the first byte of a model. */

import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Panel } from '@lumino/widgets';
import * as React from 'react';

import { detailText, type License, managerText, type ModelInfo } from '../contract';
import type { Translate } from '../shared/text/translate';
import { size } from '../shared/text/units';

interface ILicenseProps {
  license: License;
  trans: TranslationBundle;
}

/** The text in a box of its own, which scrolls and can be reached by the keyboard. */
export function LicenseText({ license, trans }: ILicenseProps): React.JSX.Element {
  return (
    <>
      {license.attribution !== '' && <p>{license.attribution}</p>}
      <div
        className="jp-LocalCoder-License-text"
        role="region"
        aria-label={managerText('license-text', trans, license.name)}
        tabIndex={0}
      >
        <pre>{license.text}</pre>
      </div>
    </>
  );
}

/** Where the file of a model comes from, and the digest that it must have. */
export function Origins(props: { info: ModelInfo; trans: Translate }): React.JSX.Element | null {
  const { info, trans } = props;
  if (info.origins.length === 0) {
    return null;
  }
  return (
    <div className="jp-LocalCoder-Origins">
      <p>{managerText('origins', trans)}</p>
      <ol>
        {info.origins.map(origin => (
          <li key={origin}>{origin}</li>
        ))}
      </ol>
      <p>{managerText('expected-digest', trans, info.digest)}</p>
    </div>
  );
}

/** Show the licence of a model; answers whether the person has accepted it. */
export async function askLicense(
  info: ModelInfo,
  license: License,
  trans: TranslationBundle
): Promise<boolean> {
  const content = ReactWidget.create(
    <>
      <p>
        {managerText('license-question', trans, info.name, size(info.size_bytes), license.name)}
      </p>
      <Origins info={info} trans={trans} />
      <LicenseText license={license} trans={trans} />
    </>
  );
  // A dialog with a React widget itself as its body takes the focus only when the page is idle.
  const body = new Panel();
  body.addClass('jp-LocalCoder-License');
  body.addWidget(content);
  const result = await showDialog({
    title: detailText('license', trans),
    body,
    buttons: [
      Dialog.cancelButton({ label: managerText('decline', trans) }),
      Dialog.okButton({ label: managerText('accept', trans) })
    ],
    defaultButton: 0
  });
  return result.button.accept;
}
