/** A prompt that is queued: its text, what goes into its places, who is asked, and how urgent it is. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Priority } from '../contract';
import { whereText } from '../shared/service/provider';
import { Button } from '../shared/ui/button';
import { CheckField, SelectField, TextAreaField, TextField } from '../shared/ui/fields';
import { Fold } from '../shared/ui/fold';
import { Note } from '../shared/ui/note';
import { FORM, type QueueModel } from './model';
import { placesOf } from './words';

/** Whoever is active when its turn is found. */
const ACTIVE = '';

interface IComposeProps {
  model: QueueModel;
  trans: TranslationBundle;
}

export function Compose({ model, trans }: IComposeProps): React.JSX.Element {
  const note = model.actionState.note(FORM);
  return (
    <Fold
      title={trans.__('Queue a prompt')}
      onOpen={() => {
        void model.openForm();
      }}
    >
      <Form model={model} trans={trans} />
      {note && (
        <Note
          note={note}
          trans={trans}
          onDismiss={() => {
            model.actionState.dismiss(FORM);
          }}
        />
      )}
    </Fold>
  );
}

function Form({ model, trans }: IComposeProps): React.JSX.Element {
  const [prompt, setPrompt] = React.useState('');
  const [fills, setFills] = React.useState(false);
  const [texts, setTexts] = React.useState<Record<string, string>>({});
  const [provider, setProvider] = React.useState(ACTIVE);
  const [priority, setPriority] = React.useState<Priority>('normal');
  const [isPrivate, setPrivate] = React.useState(false);
  const places = placesOf(prompt);
  const answering = model.providers.find(one =>
    provider === ACTIVE ? one.active : one.id === provider
  );
  const queue = async (): Promise<void> => {
    const parameters = Object.fromEntries(places.map(name => [name, texts[name] ?? '']));
    const isTaken = await model.add({
      prompt,
      parameters: fills && places.length > 0 ? parameters : null,
      provider,
      priority,
      private: isPrivate,
      // Its answer is for later: also when this page is closed.
      keep: true
    });
    if (isTaken) {
      setPrompt('');
    }
  };
  return (
    <>
      <TextAreaField label={trans.__('Prompt')} rows={4} value={prompt} onChange={setPrompt} />
      <CheckField
        isShown={places.length > 0}
        label={trans.__('Fill in placeholders')}
        help={trans.__('If off, double braces are treated as plain text.')}
        checked={fills}
        onChange={setFills}
      />
      {places.map(name => (
        <TextField
          key={name}
          isShown={fills}
          label={name}
          value={texts[name] ?? ''}
          onChange={text => {
            setTexts({ ...texts, [name]: text });
          }}
        />
      ))}
      <SelectField
        label={trans.__('Answered by')}
        help={answering ? whereText(answering, trans) : ''}
        options={[
          { value: ACTIVE, label: trans.__('the active provider') },
          ...model.providers.map(one => ({ value: one.id, label: one.name }))
        ]}
        value={provider}
        onChange={setProvider}
      />
      <SelectField
        label={trans.__('Priority')}
        options={[
          { value: 'high', label: trans.__('high') },
          { value: 'normal', label: trans.__('normal') },
          { value: 'low', label: trans.__('low') }
        ]}
        value={priority}
        onChange={chosen => {
          setPriority(chosen as Priority);
        }}
      />
      <CheckField
        label={trans.__('Private')}
        help={trans.__(
          'Private: do not save the answer; it is shown below until the server discards it.'
        )}
        checked={isPrivate}
        onChange={setPrivate}
      />
      <div className="jp-LocalCoder-buttons">
        <Button
          label={trans.__('Add to queue')}
          kind="accept"
          isOff={prompt.trim() === '' || model.actionState.isBusy(FORM)}
          onClick={() => void queue()}
        />
      </div>
    </>
  );
}
