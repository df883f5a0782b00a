/** Who completes while somebody types, and what it is sent for that. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ProviderList, SettingsView } from '../contract';
import { SelectSetting } from '../shared/ui/settingFields';
import { Note } from '../shared/ui/note';
import { COMPLETES, type ProvidersModel } from './model';
import { completionOptions, completionText } from './words';

export interface ICompletesProps {
  model: ProvidersModel;
  list: ProviderList;
  view: SettingsView;
  trans: TranslationBundle;
}

export function Completes({ model, list, view, trans }: ICompletesProps): React.JSX.Element {
  const { completion_provider: id } = view.settings;
  const note = model.actionState.note(COMPLETES);
  const { text, isTrouble } = completionText(list, view.settings, trans);
  return (
    <>
      <SelectSetting
        name="completion_provider"
        label={trans.__('Completion while you type')}
        help={trans.__(
          'Set separately, because this provider receives the code around the cursor on nearly every ' +
            'keystroke. Only providers that support fill-in-the-middle are listed.'
        )}
        options={completionOptions(list, id, trans)}
        value={id}
        onChange={chosen => void model.completeBy(chosen)}
        {...{ view, trans }}
      />
      {isTrouble ? (
        <p className="jp-LocalCoder-Note" data-severity="warning">
          {text}
        </p>
      ) : (
        <p>{text}</p>
      )}
      {note && (
        <Note
          note={note}
          trans={trans}
          onDismiss={() => {
            model.actionState.dismiss(COMPLETES);
          }}
        />
      )}
    </>
  );
}
