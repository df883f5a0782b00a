/** The tab of the models: what answers, what is there, and how it runs. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { Card } from './card';
import { type Act, makeAct } from './handlers';
import { Head } from './head';
import { ImportForm } from './import';
import { GENERAL, type ModelsModel } from './model';
import { Note } from './note';
import { RunSettings } from './runSettings';

/** Free memory changes without an event: while somebody looks, it is asked for this often. */
const REFRESH_MS = 20_000;

export class ModelsPanel extends ReactWidget {
  constructor(
    private readonly _model: ModelsModel,
    private readonly _trans: TranslationBundle,
    private readonly _onStart: () => void
  ) {
    super();
    this.addClass('jp-LocalCoder-Models');
    this.node.tabIndex = -1;
    this._act = makeAct(_model, _trans);
  }

  protected override render(): React.JSX.Element {
    return <UseSignal signal={this._model.changed}>{() => this._content()}</UseSignal>;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._watch();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) {
      this._watch();
    }
  }

  protected override onBeforeHide(message: Message): void {
    super.onBeforeHide(message);
    clearInterval(this._timer);
  }

  protected override onBeforeDetach(message: Message): void {
    super.onBeforeDetach(message);
    clearInterval(this._timer);
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.focus();
  }

  private _watch(): void {
    clearInterval(this._timer);
    void this._model.refresh();
    this._timer = setInterval(() => {
      if (document.visibilityState === 'visible') {
        void this._model.refresh();
      }
    }, REFRESH_MS);
  }

  private _content(): React.JSX.Element {
    const model = this._model;
    const trans = this._trans;
    const { list, settings } = model;
    const note = model.note(GENERAL);
    return (
      <>
        {/* Apart from all that it speaks of, and there from the start: only so is it heard. */}
        <span role="status" aria-live="polite" className="jp-LocalCoder-spoken">
          {model.spoken}
        </span>
        {(!list || !settings || model.channel !== 'open') && (
          <p className="jp-LocalCoder-Models-away">{this._awayText()}</p>
        )}
        {note && (
          <Note
            note={note}
            trans={trans}
            onDismiss={() => {
              model.dismiss(GENERAL);
            }}
          />
        )}
        {list && settings && (
          <>
            <Head {...{ model, list, settings, trans }} onStart={this._onStart} />
            <section aria-label={trans.__('Models')}>
              <h2>{trans.__('Models')}</h2>
              <ul className="jp-LocalCoder-Models-list">
                {model.models.map(view => (
                  <Card
                    key={view.info.id}
                    view={view}
                    license={model.licenseOf(view.info)}
                    memory={list.memory}
                    note={model.note(view.info.id)}
                    isBusy={model.isBusy(view.info.id)}
                    act={this._act}
                    onForce={this._onForce}
                    onDismiss={this._onDismiss}
                    trans={trans}
                  />
                ))}
              </ul>
              <p className="jp-LocalCoder-Field-help">
                {trans.__('Folder of the models: %1', list.models_dir)}
              </p>
            </section>
            <Fold
              title={trans.__('Import a model from a file')}
              isWanted={model.imports.length > 0}
            >
              <ImportForm model={model} trans={trans} />
            </Fold>
            <Fold title={trans.__('How models run')}>
              <RunSettings {...{ model, settings, trans }} />
            </Fold>
          </>
        )}
      </>
    );
  }

  private _awayText(): string {
    const trans = this._trans;
    switch (this._model.channel) {
      case 'absent':
        return trans.__('The Jupyter server does not run the LocalCoder extension.');
      case 'away':
        return trans.__(
          'The connection to the Jupyter server is lost. It is tried again by itself.'
        );
      default:
        return trans.__('Asking the Jupyter server for the models.');
    }
  }

  private readonly _onForce = (id: string): void => {
    void this._model.load(id, true);
  };

  private readonly _onDismiss = (id: string): void => {
    this._model.dismiss(id);
  };

  private readonly _act: Act;
  private _timer: ReturnType<typeof setInterval> | undefined;
}

interface IFoldProps {
  title: string;
  /** Opens it when that becomes true; nothing but the person closes it. */
  isWanted?: boolean;
  children: React.ReactNode;
}

function Fold({ title, isWanted, children }: IFoldProps): React.JSX.Element {
  const details = React.useRef<HTMLDetailsElement>(null);
  React.useEffect(() => {
    if (isWanted && details.current) {
      details.current.open = true;
    }
  }, [isWanted]);
  return (
    <details ref={details} className="jp-LocalCoder-Models-fold">
      <summary>{title}</summary>
      {children}
    </details>
  );
}
