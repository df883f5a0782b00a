/** The tab of the providers: who answers, and who could. */

import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ProviderInfo, ProviderList } from '../contract';
import { whereText } from '../shared/service/provider';
import { GENERAL } from '../shared/ui/actionState';
import { Button } from '../shared/ui/button';
import { Note } from '../shared/ui/note';
import { SectionPanel } from '../shared/ui/section';
import { Card } from './card';
import { Completes } from './completes';
import { ProviderForm } from './form';
import type { ProvidersModel } from './model';
import { hasKeptKey, storageText } from './words';

/** The environment, a keyring and edited files change without an event. */
const REFRESH_MS = 30_000;

export class ProvidersPanel extends SectionPanel<ProvidersModel> {
  constructor(model: ProvidersModel, trans: TranslationBundle) {
    super(model, trans, REFRESH_MS);
    this.addClass('jp-LocalCoder-Providers');
  }

  protected override content(): React.ReactNode {
    const { list } = this.model;
    return list && <Content model={this.model} list={list} trans={this.trans} node={this.node} />;
  }
}

interface IProvidersContentProps {
  model: ProvidersModel;
  list: ProviderList;
  trans: TranslationBundle;
  /** Takes the focus where what had it is gone. */
  node: HTMLElement;
}

/** The form that is open: for a new provider, or one of these. */
const NEW = '';

function Content({ model, list, trans, node }: IProvidersContentProps): React.JSX.Element {
  const [editing, setEditing] = React.useState<string | null>(null);
  const goTo = React.useRef<string | null>(null);
  React.useEffect(() => {
    if (editing === null && goTo.current !== null) {
      const anchor = node.querySelector<HTMLElement>(`[data-anchor="${goTo.current}"]`);
      (anchor ?? node).focus();
      goTo.current = null;
    }
  });
  const form = (provider: ProviderInfo | null): React.JSX.Element => (
    <ProviderForm
      model={model}
      provider={provider}
      trans={trans}
      onClose={id => {
        goTo.current = id ?? editing;
        setEditing(null);
      }}
    />
  );
  return (
    <>
      <Head {...{ model, list, trans }} />
      <section aria-label={trans.__('Providers')}>
        <h2>{trans.__('Providers')}</h2>
        {list.problem !== '' && (
          <p className="jp-LocalCoder-Note" data-severity="error">
            {list.problem}
          </p>
        )}
        <ul className="jp-LocalCoder-Cards">
          {list.providers.map(provider =>
            editing === provider.id ? (
              <li key={provider.id} className="jp-LocalCoder-Card" data-provider={provider.id}>
                {form(provider)}
              </li>
            ) : (
              <Card
                key={provider.id}
                {...{ model, list, provider, trans }}
                onEdit={() => {
                  setEditing(provider.id);
                }}
                onDelete={() => void remove(model, provider, node, trans)}
                onKey={() => void enterKey(model, provider, trans)}
              />
            )
          )}
        </ul>
        {list.locked ? (
          <p className="jp-LocalCoder-Field-help">
            {trans.__(
              'The server administrator has fixed the list of providers and the active provider.'
            )}
          </p>
        ) : editing === NEW ? (
          <div className="jp-LocalCoder-Card">{form(null)}</div>
        ) : (
          <div className="jp-LocalCoder-buttons">
            <Button
              label={trans.__('Add a provider')}
              anchor={NEW}
              onClick={() => {
                setEditing(NEW);
              }}
            />
          </div>
        )}
      </section>
      <p className="jp-LocalCoder-Field-help">{list.key_storage.note}</p>
      <p className="jp-LocalCoder-Field-help">
        {trans.__('Prices are shown for the models listed in %1.', list.prices_path)}
      </p>
    </>
  );
}

function Head({ model, list, trans }: Omit<IProvidersContentProps, 'node'>): React.JSX.Element {
  const active = list.providers.find(({ id }) => id === list.active);
  const note = model.actionState.note(GENERAL);
  return (
    <section className="jp-LocalCoder-Head" aria-label={trans.__('Active provider')}>
      {model.airGap && (
        <p className="jp-LocalCoder-AirGap">
          <strong>{trans.__('Air gap on')}</strong>{' '}
          {trans.__(
            'Only the embedded model is used. Other providers are disabled, including those on this machine.'
          )}
        </p>
      )}
      {active ? (
        <p>
          <strong>{trans.__('%1 answers.', active.name)}</strong> {whereText(active, trans)}
        </p>
      ) : (
        <p className="jp-LocalCoder-Note" data-severity="warning">
          {trans.__(
            'No provider is active: the configuration of %1 cannot be read. Select another provider.',
            list.active
          )}
        </p>
      )}
      <p className="jp-LocalCoder-Field-help">
        {trans.__('Used for cell commands, chats and queued prompts.')}
      </p>
      {model.settings && <Completes view={model.settings} {...{ model, list, trans }} />}
      {note && (
        <Note
          note={note}
          trans={trans}
          onDismiss={() => {
            model.actionState.dismiss(GENERAL);
          }}
        />
      )}
    </section>
  );
}

/** Ask for a key, which is not shown; it passes through, and is not kept here. */
async function enterKey(
  model: ProvidersModel,
  provider: ProviderInfo,
  trans: TranslationBundle
): Promise<void> {
  const { button, value } = await InputDialog.getPassword({
    title: trans.__('Key of %1', provider.name),
    label: model.list ? storageText(model.list.key_storage, trans) : ''
  });
  const key = value?.trim() ?? '';
  if (button.accept && key !== '') {
    await model.setKey(provider.id, key);
  }
}

async function remove(
  model: ProvidersModel,
  provider: ProviderInfo,
  node: HTMLElement,
  trans: TranslationBundle
): Promise<void> {
  const sentences = [
    hasKeptKey(provider)
      ? trans.__('Its configuration and its key will be removed.')
      : trans.__('Its configuration will be removed.')
  ];
  if (provider.active) {
    sentences.push(
      trans.__('It is the active provider: the embedded model will be activated first.')
    );
  }
  if (model.isCompleting(provider.id)) {
    sentences.push(trans.__('It completes while you type: the embedded model will take over.'));
  }
  const { button } = await showDialog({
    title: trans.__('Delete %1?', provider.name),
    body: sentences.join(' '),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Delete') })],
    defaultButton: 0
  });
  if (button.accept && (await model.delete(provider.id))) {
    node.focus();
  }
}
