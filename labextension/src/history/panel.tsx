/** The tab of the history: answers that were kept, listed, searched, and opened. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import * as React from 'react';

import { FIELDS, type Response } from '../contract';
import { refusalText } from '../shared/notebook/refusalText';
import type { IChannel } from '../shared/tokens';
import { GENERAL } from '../shared/ui/actionState';
import { Button } from '../shared/ui/button';
import { Note } from '../shared/ui/note';
import { SectionPanel } from '../shared/ui/section';
import { SwitchSetting } from '../shared/ui/settingFields';
import { exportAnswers, removeAll } from './actions';
import { insertAnswer } from './insert';
import { type HistoryModel, type IHistoryPage, type IHistoryRow, PAGE } from './model';
import { Opened } from './opened';
import { Titles } from './titles';
import { factsText, rangeText, titleText } from './words';

/** Files are changed by others without an event. */
const REFRESH_MS = 60_000;
/** A search begins when nobody has typed for so long. */
const TYPING_MS = 250;

export class HistoryPanel extends SectionPanel<HistoryModel> {
  constructor(
    model: HistoryModel,
    trans: TranslationBundle,
    private readonly _rendermime: IRenderMimeRegistry,
    private readonly _tracker: INotebookTracker | null,
    private readonly _channel: Pick<IChannel, 'request'>
  ) {
    super(model, trans, REFRESH_MS);
    this.addClass('jp-LocalCoder-History');
  }

  protected override content(): React.ReactNode {
    const { model, trans } = this;
    const { page, opened } = model;
    if (!page) {
      return null;
    }
    return opened ? (
      <Opened
        key={opened.id}
        {...{ model, trans }}
        response={opened}
        rendermime={this._rendermime}
        onInsert={() => {
          void this._insert(opened);
        }}
        onBack={() => {
          this._goTo = opened.id;
          model.close();
        }}
      />
    ) : (
      <List {...{ model, page, trans }} goTo={this._takeGoTo} node={this.node} />
    );
  }

  private async _insert(response: Response): Promise<void> {
    const { model, trans } = this;
    const cell = this._tracker && (await insertAnswer(this._channel, this._tracker, response));
    if (cell && typeof cell !== 'string') {
      const { message, recovery } = refusalText(cell, trans);
      model.actionState.refuse(response.id, message, recovery);
      return;
    }
    model.actionState.say(
      response.id,
      cell === 'code'
        ? trans.__('The code was inserted into a new cell below the selected cell. It was not run.')
        : cell === 'markdown'
          ? trans.__('The text was inserted into a new cell below the selected cell.')
          : trans.__('Open a notebook first: there is no cell to write to.')
    );
  }

  private readonly _takeGoTo = (): string | null => {
    const id = this._goTo;
    this._goTo = null;
    return id;
  };

  /** The row that takes the focus when the list comes back. */
  private _goTo: string | null = null;
}

interface IListProps {
  model: HistoryModel;
  page: IHistoryPage;
  trans: TranslationBundle;
  goTo: () => string | null;
  node: HTMLElement;
}

function List({ model, page, trans, goTo, node }: IListProps): React.JSX.Element {
  const { actionState } = model;
  const note = actionState.note(GENERAL);
  React.useEffect(() => {
    const id = goTo();
    if (id !== null) {
      (node.querySelector<HTMLElement>(`[data-anchor="${id}"]`) ?? node).focus();
    }
  });
  return (
    <>
      <Keep model={model} trans={trans} />
      {note && (
        <Note
          note={note}
          trans={trans}
          onDismiss={() => {
            actionState.dismiss(GENERAL);
          }}
        />
      )}
      <Search model={model} trans={trans} />
      <section aria-label={trans.__('Answers')}>
        {page.rows.length === 0 ? (
          <p>
            {page.query === ''
              ? trans.__('The history is empty.')
              : trans.__('No results in prompts, answers and titles.')}
          </p>
        ) : (
          <ol className="jp-LocalCoder-Cards">
            {page.rows.map(row => (
              <Row key={row.info.id} {...{ model, row, trans }} />
            ))}
          </ol>
        )}
        <Pages {...{ model, page, trans }} />
      </section>
      <Titles model={model} trans={trans} />
      {(page.total ?? 0) > 0 && (
        <div className="jp-LocalCoder-buttons">
          <Button
            label={trans.__('Export all…')}
            isOff={actionState.isBusy(GENERAL)}
            onClick={() => void exportAnswers(model, null, trans)}
          />
          <Button
            label={trans.__('Delete all…')}
            kind="warn"
            isOff={actionState.isBusy(GENERAL)}
            onClick={() => void removeAll(model, page.total ?? 0, trans)}
          />
        </div>
      )}
    </>
  );
}

/** The switch: whether anything is kept from now on. */
function Keep({ model, trans }: Pick<IListProps, 'model' | 'trans'>): React.JSX.Element | null {
  const { settings } = model;
  if (!settings) {
    return null;
  }
  const isOn = settings.settings.history;
  return (
    <SwitchSetting
      name="history"
      view={settings}
      trans={trans}
      label={trans.__('Save answers')}
      help={
        isOn
          ? trans.__('Prompts and answers are saved only on the machine that runs Jupyter.')
          : trans.__(
              'Private: new answers are not saved. Saved answers stay until you delete them.'
            )
      }
      checked={isOn}
      onChange={checked => void model.keep(checked)}
    />
  );
}

function Search({ model, trans }: Pick<IListProps, 'model' | 'trans'>): React.JSX.Element {
  const id = React.useId();
  const [text, setText] = React.useState(model.query);
  const timer = React.useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  React.useEffect(
    () => () => {
      clearTimeout(timer.current);
    },
    []
  );
  const search = (query: string): void => {
    clearTimeout(timer.current);
    void model.search(query);
  };
  return (
    <form
      role="search"
      className="jp-LocalCoder-Field"
      onSubmit={event => {
        event.preventDefault();
        search(text);
      }}
    >
      <label htmlFor={id}>{trans.__('Search prompts, answers and titles')}</label>
      <input
        id={id}
        type="search"
        className="jp-mod-styled"
        value={text}
        maxLength={FIELDS.ResponseSearchRequest.query.maxLength}
        autoComplete="off"
        spellCheck={false}
        aria-describedby={`${id}-help`}
        onChange={event => {
          const { value } = event.target;
          setText(value);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => {
            search(value);
          }, TYPING_MS);
        }}
      />
      <p id={`${id}-help`} className="jp-LocalCoder-Field-help">
        {trans.__('Results contain all words; use “quotes” for an exact phrase.')}
      </p>
    </form>
  );
}

function Row(props: {
  model: HistoryModel;
  row: IHistoryRow;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { model, row, trans } = props;
  const { info, excerpt } = row;
  const note = model.actionState.note(info.id);
  return (
    <li className="jp-LocalCoder-Card" data-response={info.id}>
      <h3>
        <button
          type="button"
          className="jp-LocalCoder-link"
          data-anchor={info.id}
          onClick={() => void model.open(info.id)}
        >
          {titleText(info)}
        </button>
      </h3>
      <p className="jp-LocalCoder-Card-facts">{factsText(info, trans)}</p>
      {excerpt.length > 0 ? (
        <p className="jp-LocalCoder-History-preview">
          {excerpt.map(({ text, match }, index) =>
            match ? (
              <mark key={index}>{text}</mark>
            ) : (
              <React.Fragment key={index}>{text}</React.Fragment>
            )
          )}
        </p>
      ) : (
        info.preview !== '' &&
        info.preview !== titleText(info) && (
          <p className="jp-LocalCoder-History-preview">{info.preview}</p>
        )
      )}
      {model.isTitlePending(info.id) && (
        <p className="jp-LocalCoder-Card-facts">{trans.__('Generating a title…')}</p>
      )}
      {note && (
        <Note
          note={note}
          trans={trans}
          onDismiss={() => {
            model.actionState.dismiss(info.id);
          }}
        />
      )}
    </li>
  );
}

function Pages({
  model,
  page,
  trans
}: Omit<IListProps, 'goTo' | 'node'>): React.JSX.Element | null {
  const { offset, rows, total, hasMore } = page;
  if (offset === 0 && !hasMore) {
    return null;
  }
  return (
    <nav className="jp-LocalCoder-buttons" aria-label={trans.__('Pages')}>
      <Button
        label={trans.__('Newer')}
        isOff={offset === 0}
        onClick={() => void model.turnTo(offset - PAGE)}
      />
      <span className="jp-LocalCoder-History-range">
        {rangeText(offset, rows.length, total, trans)}
      </span>
      <Button
        label={trans.__('Older')}
        isOff={!hasMore}
        onClick={() => void model.turnTo(offset + PAGE)}
      />
    </nav>
  );
}
