/** The start page: the steps under each other, one of them open. */

import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { EngineError } from '../models';
import { GENERAL } from '../shared/ui/actionState';
import { NoteOf } from '../shared/ui/note';
import { About, Choose, DownloadStep, LicenceStep, TryStep, WarmStep } from './content';
import type { IStartPageOptions } from './options';
import { type Step, STEPS } from './steps';
import { stepSummary, stepTitle } from './words';

export class StartPage extends ReactWidget {
  constructor(private readonly _options: IStartPageOptions) {
    super();
    this.id = 'jp-LocalCoder-start';
    this.addClass('jp-LocalCoder-Start');
    this.node.tabIndex = -1;
  }

  override dispose(): void {
    this._options.start.dispose();
    super.dispose();
  }

  protected override render(): React.JSX.Element {
    const { start } = this._options;
    return <UseSignal signal={start.changed}>{() => <Content {...this._options} />}</UseSignal>;
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    if (!this.node.contains(document.activeElement)) {
      this.node.focus();
    }
  }
}

function Content(props: IStartPageOptions): React.JSX.Element {
  const { start, trans } = props;
  const current = React.useRef<HTMLHeadingElement>(null);
  const shown = React.useRef(start.step);
  React.useEffect(() => {
    if (shown.current !== start.step) {
      shown.current = start.step;
      // The button that led here is gone, and the focus with it.
      if (document.activeElement === document.body || isWithin(current.current)) {
        current.current?.focus();
      }
    }
  }, [start.step]);
  return (
    <div className="jp-LocalCoder-Start-page">
      <h1>{trans.__('A coding assistant on your own machine')}</h1>
      <p>
        {trans.__(
          'A few steps to your first completion. You can close this page at any time and reopen it from ' +
            'the command palette: “Set Up Step by Step”.'
        )}
      </p>
      <EngineError list={start.models.list} />
      <NoteOf actionState={start.models.actionState} id={GENERAL} trans={trans} />
      <ol className="jp-LocalCoder-Start-steps">
        {STEPS.map((step, index) => {
          const isCurrent = step === start.step;
          const summary = stepSummary(step, start, trans);
          return (
            <li
              key={step}
              aria-current={isCurrent ? 'step' : undefined}
              data-state={
                isCurrent ? 'current' : index < STEPS.indexOf(start.step) ? 'done' : 'later'
              }
            >
              <h2 ref={isCurrent ? current : undefined} tabIndex={-1}>
                {stepTitle(step, trans)}
                {summary !== '' && <span className="jp-LocalCoder-Start-summary"> {summary}</span>}
              </h2>
              {isCurrent && <Body step={step} {...props} />}
            </li>
          );
        })}
      </ol>
      <button type="button" className="jp-LocalCoder-button" onClick={props.close}>
        {start.step === 'try' ? trans.__('Done') : trans.__('Not now')}
      </button>
    </div>
  );
}

function Body(props: IStartPageOptions & { step: Step }): React.JSX.Element {
  switch (props.step) {
    case 'about':
      return <About {...props} />;
    case 'choose':
      return <Choose {...props} />;
    case 'licence':
      return <LicenceStep {...props} />;
    case 'download':
      return <DownloadStep {...props} />;
    case 'warm':
      return <WarmStep {...props} />;
    case 'try':
      return <TryStep {...props} />;
  }
}

/** Whether the focus is on the page that an element belongs to. */
function isWithin(element: HTMLElement | null): boolean {
  return element?.closest('.jp-LocalCoder-Start')?.contains(document.activeElement) === true;
}
