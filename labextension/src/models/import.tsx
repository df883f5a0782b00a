/** Take a file or a bundle of the machine that runs Jupyter into the model folder. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { managerText } from '../contract';
import { IMPORT } from '../shared/ui/actionState';
import { Checkbox } from '../shared/ui/checkbox';
import { TextField } from '../shared/ui/fields';
import { NoteOf } from '../shared/ui/note';
import type { ModelsModel } from './model';
import { ProgressBar } from './progressBar';
import { isModelId } from './settings';
import { progressOf } from './view';

export interface IImportProps {
  model: ModelsModel;
  trans: TranslationBundle;
  /** Is told the id of what was taken in. */
  onImported?: (id: string) => void;
}

export function ImportForm({ model, trans, onImported }: IImportProps): React.JSX.Element {
  const [path, setPath] = React.useState('');
  const [name, setName] = React.useState('');
  const [isLinked, setLinked] = React.useState(false);
  const isNamedWell = name === '' || isModelId(name);
  const nameRule = trans.__('Letters, digits, dots, dashes and underscores; no slashes or spaces.');
  const canSubmit = path.trim() !== '' && isNamedWell && !model.actionState.isBusy(IMPORT);
  const submit = (event: React.FormEvent): void => {
    event.preventDefault();
    if (canSubmit) {
      void model.import(path.trim(), name || null, isLinked).then(imported => {
        if (imported !== null) {
          setPath('');
          setName('');
          onImported?.(imported);
        }
      });
    }
  };
  return (
    <form className="jp-LocalCoder-Import" onSubmit={submit}>
      <TextField
        label={managerText('path', trans)}
        help={trans.__(
          'Path in the file browser, or absolute path on the machine that runs Jupyter.'
        )}
        value={path}
        onChange={setPath}
      />
      <TextField
        label={managerText('name', trans)}
        help={nameRule}
        fault={isNamedWell ? '' : nameRule}
        value={name}
        onChange={setName}
      />
      <Checkbox label={managerText('link', trans)} checked={isLinked} onChange={setLinked} />
      <div className="jp-LocalCoder-buttons">
        <button
          type="submit"
          className="jp-LocalCoder-button jp-mod-accept"
          aria-disabled={!canSubmit}
        >
          {managerText('import', trans)}
        </button>
      </div>
      <NoteOf actionState={model.actionState} id={IMPORT} trans={trans} />
      {model.imports.map(event => (
        <div key={event.id}>
          <ProgressBar
            progress={progressOf(event)}
            label={managerText('import-of', trans, event.id)}
            trans={trans}
          />
          <button
            type="button"
            className="jp-LocalCoder-button"
            onClick={() => void model.stop(event.id)}
          >
            {managerText('stop-import', trans)}
          </button>
        </div>
      ))}
    </form>
  );
}
