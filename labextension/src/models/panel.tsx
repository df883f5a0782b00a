/** The tab of the models: what answers, what is there, and how it runs. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { managerText } from '../contract';
import { GENERAL } from '../shared/ui/actionState';
import { Fold } from '../shared/ui/fold';
import { NoteOf } from '../shared/ui/note';
import { SectionPanel } from '../shared/ui/section';
import { Card } from './card';
import { type Act, makeAct } from './handlers';
import { Head } from './head';
import { ImportForm } from './import';
import type { ModelsModel } from './model';
import { RunSettings } from './runSettings';

/** Free memory changes without an event: while somebody looks, it is asked for this often. */
const REFRESH_MS = 20_000;

export class ModelsPanel extends SectionPanel<ModelsModel> {
  constructor(
    model: ModelsModel,
    trans: TranslationBundle,
    private readonly _onStart: () => void
  ) {
    super(model, trans, REFRESH_MS);
    this.addClass('jp-LocalCoder-Models');
    this._act = makeAct(model, trans);
  }

  protected override content(): React.ReactNode {
    const { model, trans } = this;
    const { list, settings } = model;
    return (
      <>
        <NoteOf actionState={model.actionState} id={GENERAL} trans={trans} />
        {list && settings && (
          <>
            <Head {...{ model, list, settings, trans }} onStart={this._onStart} />
            <section aria-label={managerText('models', trans)}>
              <h2>{managerText('models', trans)}</h2>
              <ul className="jp-LocalCoder-Cards">
                {model.models.map(view => (
                  <Card
                    key={view.info.id}
                    view={view}
                    license={model.licenseOf(view.info)}
                    memory={list.memory}
                    note={model.actionState.note(view.info.id)}
                    isBusy={model.actionState.isBusy(view.info.id)}
                    act={this._act}
                    onForce={this._onForce}
                    onDismiss={this._onDismiss}
                    trans={trans}
                  />
                ))}
              </ul>
              <p className="jp-LocalCoder-Field-help">
                {managerText('folder', trans, list.models_dir)}
              </p>
            </section>
            <Fold title={managerText('import-file', trans)} isWanted={model.imports.length > 0}>
              <ImportForm model={model} trans={trans} />
            </Fold>
            <Fold title={managerText('model-settings', trans)}>
              <RunSettings {...{ model, settings, trans }} />
            </Fold>
          </>
        )}
      </>
    );
  }

  private readonly _onForce = (id: string): void => {
    void this.model.load(id, true);
  };

  private readonly _onDismiss = (id: string): void => {
    this.model.actionState.dismiss(id);
  };

  private readonly _act: Act;
}
