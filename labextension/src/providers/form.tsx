/** The form of a provider. What is wrong with a field stands below it, and is said when it is sent. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { type ErrorPayload, FIELDS, type ProviderInfo, settingLabel } from '../contract';
import { isSameOrigin } from '../shared/service/address';
import { Button } from '../shared/ui/button';
import { CheckField, type IFieldProps, SelectField, TextField } from '../shared/ui/fields';
import { Fold } from '../shared/ui/fold';
import {
  addressOf,
  draftOf,
  type Faults,
  faultsOf,
  type Field,
  fieldsOf,
  type FillMode,
  isField,
  newDraft,
  type ProviderType,
  requestOf,
  withKind
} from './draft';
import type { ProvidersModel } from './model';
import { hasKeptKey, storageText } from './words';

export interface IFormProps {
  model: ProvidersModel;
  /** The one to change; null makes another. */
  provider: ProviderInfo | null;
  /** Is told the id of what was saved, or null where nothing was. */
  onClose: (id: string | null) => void;
  trans: TranslationBundle;
}

export function ProviderForm({
  model,
  provider,
  onClose,
  trans
}: IFormProps): React.JSX.Element | null {
  const form = React.useRef<HTMLFormElement>(null);
  const { kinds, list } = model;
  const taken = provider ? [] : (list?.providers ?? []).map(({ id }) => id);
  const [draft, setDraft] = React.useState(() => {
    const kind = kinds.find(({ type }) => type === provider?.type) ?? kinds[0];
    return provider ? draftOf(provider, kind) : kind && newDraft(kind, taken);
  });
  const [isSent, setSent] = React.useState(false);
  const [refusal, setRefusal] = React.useState<ErrorPayload | null>(null);
  React.useEffect(() => {
    form.current?.querySelector<HTMLElement>('select, input')?.focus();
  }, []);
  const kind = kinds.find(({ type }) => type === draft?.type);
  if (!draft || !kind || !list) {
    return null;
  }
  const faults = isSent ? faultsOf(draft, kind, taken, trans) : {};
  const field = refusal?.details.field;
  const refusedField = isField(field, draft) ? field : null;
  const shown = fieldsOf(draft, kind);
  const change = (changes: Partial<typeof draft>): void => {
    setRefusal(null);
    setDraft({ ...draft, ...changes });
  };
  const of = (name: Field): Pick<IFieldProps, 'fault' | 'isShown'> => ({
    fault: faults[name] ?? (refusedField === name && refusal ? refusalText(refusal) : ''),
    isShown: shown.has(name)
  });
  const [focusAsked, askForFocus] = React.useReducer((count: number) => count + 1, 0);
  // On the first field that is wrong, once it is drawn so.
  React.useEffect(() => {
    if (focusAsked > 0) {
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    }
  }, [focusAsked]);
  const submit = async (): Promise<void> => {
    setSent(true);
    const wrong = faultsOf(draft, kind, taken, trans);
    if (Object.keys(wrong).length > 0) {
      model.actionState.speak(spoken(wrong));
      askForFocus();
      return;
    }
    if (model.isSaving) {
      return;
    }
    const refused = await model.save(requestOf(draft, kind));
    if (refused) {
      setRefusal(refused);
      askForFocus();
    } else {
      onClose(draft.id);
    }
  };
  const moves =
    provider !== null &&
    hasKeptKey(provider) &&
    !isSameOrigin(provider.base_url, addressOf(draft, kind));
  return (
    <form
      ref={form}
      className="jp-LocalCoder-ProviderForm"
      aria-label={provider ? trans.__('Edit %1', provider.name) : trans.__('Add a provider')}
      noValidate
      onSubmit={event => {
        event.preventDefault();
        void submit();
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onClose(null);
        }
      }}
    >
      <h3>{provider ? trans.__('Edit %1', provider.name) : trans.__('Add a provider')}</h3>
      <SelectField
        {...of('type')}
        label={trans.__('Kind')}
        value={draft.type}
        options={kinds.map(({ type, title }) => ({ value: type, label: title }))}
        onChange={value => {
          const other = kinds.find(({ type }) => type === value);
          if (other) {
            change(withKind(draft, other, taken));
          }
        }}
      />
      {!provider && (
        <TextField
          {...of('id')}
          label={trans.__('Id')}
          help={trans.__('Used by commands and notebooks. It cannot be changed later.')}
          value={draft.id}
          onChange={id => {
            change({ id });
          }}
        />
      )}
      <TextField
        {...of('name')}
        label={trans.__('Name (optional)')}
        value={draft.name}
        maxLength={FIELDS.ProviderSaveRequest.name.maxLength}
        onChange={name => {
          change({ name });
        }}
      />
      <TextField
        {...of('base_url')}
        label={kind.base_url === '' ? trans.__('Address') : trans.__('Address (optional)')}
        help={addressHelp(kind.type, kind.base_url, trans)}
        placeholder={kind.base_url}
        value={draft.base_url}
        maxLength={FIELDS.ProviderSaveRequest.base_url.maxLength}
        onChange={base_url => {
          change({ base_url });
        }}
      />
      <TextField
        {...of('model')}
        label={kind.type === 'azure_openai' ? trans.__('Deployment') : trans.__('Model')}
        help={trans.__('Model name at the provider.')}
        suggestions={(provider && model.tested(provider.id)?.models) ?? []}
        value={draft.model}
        maxLength={FIELDS.ProviderSaveRequest.model.maxLength}
        onChange={name => {
          change({ model: name });
        }}
      />
      <TextField
        {...of('api_version')}
        label={trans.__('API version (optional)')}
        help={trans.__('For the dated API. Leave empty to use the v1 API.')}
        value={draft.api_version}
        onChange={api_version => {
          change({ api_version });
        }}
      />
      <TextField
        {...of('key')}
        label={kind.key_needed ? trans.__('Key') : trans.__('Key (if required)')}
        help={[
          moves
            ? trans.__(
                'The stored key belongs to the previous address and will be deleted: enter it again.'
              )
            : provider && hasKeptKey(provider)
              ? trans.__('A key is stored. Leave empty to keep it.')
              : '',
          draft.isForSession
            ? trans.__('The key is kept in memory until the server stops.')
            : storageText(list.key_storage, trans),
          kind.key_variables.length > 0
            ? trans.__('A key in %1 takes precedence.', kind.key_variables.join(', '))
            : ''
        ]
          .filter(Boolean)
          .join(' ')}
        isSecret
        value={draft.key}
        maxLength={FIELDS.ProviderSaveRequest.key.maxLength}
        onChange={key => {
          change({ key });
        }}
      />
      <CheckField
        {...of('isForSession')}
        isShown={list.key_storage.place !== 'session' && draft.key !== ''}
        label={trans.__('Keep the key only until the server stops')}
        checked={draft.isForSession}
        onChange={isForSession => {
          change({ isForSession });
        }}
      />
      <CheckField
        {...of('allow_unencrypted_key')}
        label={trans.__('Send the key unencrypted')}
        help={trans.__('The address uses http to another machine: the key can be read in transit.')}
        checked={draft.allow_unencrypted_key}
        onChange={allow_unencrypted_key => {
          change({ allow_unencrypted_key });
        }}
      />
      <TextField
        {...of('context_window')}
        label={settingLabel('context_window', trans)}
        help={trans.__('0 uses the default of Ollama, which silently truncates longer prompts.')}
        isNumber
        value={draft.context_window}
        onChange={context_window => {
          change({ context_window });
        }}
      />
      <SelectField
        {...of('fill')}
        label={trans.__('Fill-in-the-middle format')}
        value={draft.fill}
        options={kind.fills.map(value => ({ value, label: fillText(value, trans) }))}
        onChange={value => {
          change({ fill: value as FillMode });
        }}
      />
      <TextField
        {...of('fill_template')}
        label={trans.__('Fill-in-the-middle tokens')}
        value={draft.fill_template}
        maxLength={FIELDS.ProviderSaveRequest.fill_template.maxLength}
        onChange={fill_template => {
          change({ fill_template });
        }}
      />
      <Fold title={trans.__('Time limits')} isWanted={hasTimeFault(faults)}>
        <TextField
          {...of('timeout_seconds')}
          label={trans.__('Total time limit (seconds)')}
          isNumber
          value={draft.timeout_seconds}
          onChange={timeout_seconds => {
            change({ timeout_seconds });
          }}
        />
        <TextField
          {...of('connect_timeout_seconds')}
          label={trans.__('Connection timeout (seconds)')}
          isNumber
          value={draft.connect_timeout_seconds}
          onChange={connect_timeout_seconds => {
            change({ connect_timeout_seconds });
          }}
        />
        <TextField
          {...of('silence_timeout_seconds')}
          label={trans.__('Idle timeout (seconds)')}
          help={trans.__('A slow machine may need minutes to process a prompt.')}
          isNumber
          value={draft.silence_timeout_seconds}
          onChange={silence_timeout_seconds => {
            change({ silence_timeout_seconds });
          }}
        />
      </Fold>
      {refusal && !refusedField && (
        <p className="jp-LocalCoder-Note" data-severity="error">
          {refusalText(refusal)}
        </p>
      )}
      <div className="jp-LocalCoder-buttons">
        <button
          type="submit"
          className="jp-LocalCoder-button jp-mod-accept"
          aria-disabled={model.isSaving}
        >
          {trans.__('Save')}
        </button>
        <Button
          label={trans.__('Cancel')}
          onClick={() => {
            onClose(null);
          }}
        />
      </div>
    </form>
  );
}

function refusalText({ message, recovery }: ErrorPayload): string {
  return `${message} ${recovery}`.trim();
}

function hasTimeFault(faults: Faults): boolean {
  return Object.keys(faults).some(name => name.endsWith('_seconds'));
}

/** All that is wrong, for who does not see where it stands. */
function spoken(faults: Faults): string {
  return Object.values(faults).join(' ');
}

function addressHelp(type: ProviderType, usual: string, trans: TranslationBundle): string {
  switch (type) {
    case 'azure_openai':
      return trans.__('For example https://NAME.openai.azure.com');
    case 'openai_compatible':
      return trans.__('For example http://127.0.0.1:8080/v1');
    default:
      return trans.__('Leave empty to use %1', usual);
  }
}

function fillText(mode: FillMode, trans: TranslationBundle): string {
  switch (mode) {
    case 'off':
      return trans.__('No');
    case 'suffix':
      return trans.__('Field “suffix” of the completions API');
    case 'infill':
      return trans.__('/infill (llama-server)');
    case 'tokens':
      return trans.__('Fill-in-the-middle tokens in a raw prompt');
  }
}
