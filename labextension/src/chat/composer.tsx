/** The box in which a question is written, with what goes along. */

import { Checkbox } from '../shared/ui/checkbox';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { EMBEDDED, type Reference } from '../contract';
import { Chips } from './chips';
import {
  fileSuggestions,
  type IMention,
  type ISuggestion,
  mentionAt,
  pathOf,
  suggestions
} from './mention';
import type { ChatModel } from './model';
import type { PageContext } from './pageContext';
import { whoSentence } from './words';

const LIST_ID = 'jp-LocalCoder-Composer-list';

export interface IComposerProps {
  model: ChatModel;
  page: PageContext;
  trans: TranslationBundle;
}

export function Composer({ model, page, trans }: IComposerProps): React.JSX.Element {
  const box = React.useRef<HTMLTextAreaElement>(null);
  const [text, setText] = React.useState('');
  const [references, setReferences] = React.useState<readonly Reference[]>([]);
  const [mention, setMention] = React.useState<IMention | null>(null);
  const [offered, setOffered] = React.useState<readonly ISuggestion[]>([]);
  const [active, setActive] = React.useState(0);
  const [trouble, setTrouble] = React.useState('');
  // An answer of the contents manager for what is not asked for any more is left alone.
  const wanted = React.useRef<IMention | null>(null);
  const isSending = React.useRef(false);
  const [cursor, setCursor] = React.useState<{ at: number } | null>(null);

  // Once the text that it is to stand in is in the box, and before another key is heard.
  React.useLayoutEffect(() => {
    if (cursor) {
      box.current?.setSelectionRange(cursor.at, cursor.at);
    }
  }, [cursor]);

  React.useEffect(() => {
    const take = (): void => {
      for (const draft of model.takeDrafts()) {
        setText(words => [words, draft.words].filter(Boolean).join('\n'));
        setReferences(before => [...before, ...draft.references]);
        box.current?.focus();
      }
    };
    take();
    model.drafted.connect(take);
    return () => {
      model.drafted.disconnect(take);
    };
  }, [model]);

  const offer = (next: IMention | null): void => {
    wanted.current = next;
    setMention(next);
    setActive(0);
    setOffered([]);
    if (!next) {
      return;
    }
    const path = pathOf(next.query);
    if (!path) {
      setOffered(
        suggestions(next.query, page.offers, {
          selection: trans.__('the selection in the cell'),
          file: trans.__('a file on this server'),
          variable: trans.__('type and shape of a kernel variable, never its value')
        })
      );
      return;
    }
    page.files(path.folder).then(
      entries => {
        if (wanted.current === next) {
          setOffered(fileSuggestions(path.start, entries));
        }
      },
      (reason: unknown) => {
        setTrouble(sentenceOf(reason));
      }
    );
  };
  const write = (value: string, cursor: number): void => {
    setText(value);
    setTrouble('');
    offer(mentionAt(value, cursor));
  };
  const choose = (suggestion: ISuggestion | undefined): void => {
    if (!suggestion || !mention) {
      return;
    }
    const head = text.slice(0, mention.from);
    const tail = text.slice(mention.from + 1 + mention.query.length);
    const inside = suggestion.isOpen ? `@${suggestion.label}` : '';
    write(head + inside + tail, head.length + inside.length);
    box.current?.focus();
    setCursor({ at: head.length + inside.length });
    if (!suggestion.isOpen) {
      page.resolve(suggestion).then(
        reference => {
          setReferences(before => [...before, reference]);
        },
        (reason: unknown) => {
          setTrouble(sentenceOf(reason));
        }
      );
    }
  };
  const send = (): void => {
    if (text.trim() === '' || model.isRunning || !model.isConnected || isSending.current) {
      return;
    }
    isSending.current = true;
    page
      .written(text)
      .then(
        written => {
          // It may have become another question while a file was read.
          if (box.current?.value === text && !model.isRunning) {
            model.ask(text.trim(), joined(references, written));
            setText('');
            setReferences([]);
            offer(null);
          }
        },
        (reason: unknown) => {
          setTrouble(sentenceOf(reason));
        }
      )
      .finally(() => {
        isSending.current = false;
      });
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const isListed = offered.length > 0;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (isListed && step !== 0) {
      setActive((active + step + offered.length) % offered.length);
    } else if (isListed && (event.key === 'Enter' || event.key === 'Tab')) {
      choose(offered[active]);
    } else if (isListed && event.key === 'Escape') {
      offer(null);
    } else if (event.key === 'Enter' && !event.shiftKey) {
      send();
    } else if (event.key === 'Escape' && model.isRunning) {
      model.stop();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const addMention = (): void => {
    const blank = text === '' || /\s$/.test(text) ? '' : ' ';
    const value = `${text}${blank}@`;
    box.current?.focus();
    write(value, value.length);
  };

  return (
    <form
      className="jp-LocalCoder-Composer"
      onSubmit={event => {
        event.preventDefault();
        send();
      }}
    >
      <Chips
        references={references}
        trans={trans}
        onRemove={index => {
          setReferences(references.filter((_, other) => other !== index));
          box.current?.focus();
        }}
      />
      {offered.length > 0 && (
        <ul id={LIST_ID} role="listbox" aria-label={trans.__('Context to attach')}>
          {offered.map((suggestion, index) => (
            <li
              key={suggestion.label}
              id={`${LIST_ID}-${index}`}
              role="option"
              aria-selected={index === active}
              onMouseDown={event => {
                // The box keeps the focus.
                event.preventDefault();
                choose(suggestion);
              }}
            >
              <span>@{suggestion.label}</span> <small>{suggestion.detail}</small>
            </li>
          ))}
        </ul>
      )}
      <textarea
        ref={box}
        rows={3}
        value={text}
        placeholder={trans.__(
          'Ask the model. Type @ to add the cell, its output, an error, a file or a variable.'
        )}
        aria-label={trans.__('Question')}
        aria-autocomplete="list"
        aria-controls={offered.length > 0 ? LIST_ID : undefined}
        aria-activedescendant={offered.length > 0 ? `${LIST_ID}-${active}` : undefined}
        onChange={event => {
          write(event.target.value, event.target.selectionStart);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => {
          offer(null);
        }}
      />
      <p role="alert" className="jp-LocalCoder-Composer-trouble">
        {trouble}
      </p>
      <How model={model} trans={trans} />
      <div className="jp-LocalCoder-buttons">
        <button
          type="button"
          className="jp-LocalCoder-button"
          aria-label={trans.__('Add context')}
          onClick={addMention}
        >
          @
        </button>
        {model.isRunning ? (
          <button
            type="button"
            className="jp-LocalCoder-button"
            onClick={() => {
              model.stop();
            }}
          >
            {trans.__('Stop')}
          </button>
        ) : (
          <button
            type="submit"
            className="jp-LocalCoder-button jp-mod-accept"
            aria-disabled={text.trim() === '' || !model.isConnected}
          >
            {trans.__('Send')}
          </button>
        )}
      </div>
    </form>
  );
}

/** Who answers, where that can be chosen, and whether it is kept. */
function How({ model, trans }: Pick<IComposerProps, 'model' | 'trans'>): React.JSX.Element {
  const id = React.useId();
  const { provider, providers } = model;
  return (
    <div className="jp-LocalCoder-Composer-how">
      {providers.length > 1 && (
        <label>
          {trans.__('Answered by')}{' '}
          <select
            className="jp-LocalCoder-select"
            value={model.chosen}
            aria-describedby={`${id}-where`}
            onChange={event => {
              model.choose(event.target.value);
            }}
          >
            <option value="">{trans.__('Active provider')}</option>
            {providers.map(({ id: value, name, problem }) => (
              <option key={value} value={value} disabled={problem !== '' && value !== model.chosen}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <Checkbox
        label={trans.__('Private')}
        checked={model.isPrivate}
        aria-describedby={`${id}-private`}
        onChange={checked => {
          model.setPrivate(checked);
        }}
      />
      <Checkbox
        label={trans.__('Use kernel variables')}
        title={trans.__(
          'Send the types and columns of the variables that you name, never their values.'
        )}
        checked={model.usesVariables}
        onChange={checked => {
          model.setUsesVariables(checked);
        }}
      />
      <p id={`${id}-private`} className="jp-LocalCoder-Field-help" hidden={!model.isPrivate}>
        {trans.__('Not saved: it is discarded when the server stops.')}
      </p>
      <p id={`${id}-where`} className="jp-LocalCoder-Field-help">
        {provider && provider.id !== EMBEDDED && whoSentence(provider, trans)}
      </p>
    </div>
  );
}

/** What was chosen, and what was written out; nothing of it twice. */
function joined(chosen: readonly Reference[], written: readonly Reference[]): readonly Reference[] {
  return [
    ...chosen,
    ...written.filter(
      ({ kind, name }) => !chosen.some(one => one.kind === kind && one.name === name)
    )
  ];
}

function sentenceOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
