/** One provider: where its prompts go, its key, what it costs, what a test has shown, what can be done. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { EMBEDDED, type ProviderInfo, type ProviderList } from '../contract';
import { isLocal, whereText } from '../shared/service/provider';
import { Button } from '../shared/ui/button';
import { Note } from '../shared/ui/note';
import type { ProvidersModel } from './model';
import { badgeText, factsText, hasKeptKey, keyText, priceText, testedText } from './words';

export interface IProviderCardProps {
  model: ProvidersModel;
  list: ProviderList;
  provider: ProviderInfo;
  onEdit: () => void;
  onDelete: () => void;
  onKey: () => void;
  trans: TranslationBundle;
}

export function Card(props: IProviderCardProps): React.JSX.Element {
  const { model, list, provider, trans } = props;
  const { id, name } = provider;
  const { actionState } = model;
  const titleId = `jp-LocalCoder-provider-${id}`;
  const note = actionState.note(id);
  const price = priceText(provider.price, trans);
  const key = keyText(provider, trans);
  return (
    <li className="jp-LocalCoder-Card" aria-labelledby={titleId} data-provider={id}>
      <div className="jp-LocalCoder-Card-head">
        <h3 id={titleId}>{name}</h3>
        <span className="jp-LocalCoder-badges">
          {provider.configured && (
            <span
              className="jp-LocalCoder-badge"
              title={trans.__('Configured by the server administrator.')}
            >
              {trans.__('configured')}
            </span>
          )}
          {provider.active && (
            <span className="jp-LocalCoder-badge" data-state="loaded">
              {trans.__('active')}
            </span>
          )}
          {model.isCompleting(id) && (
            <span className="jp-LocalCoder-badge" data-state="loaded">
              {trans.__('completes')}
            </span>
          )}
          <span className="jp-LocalCoder-badge" data-state={isLocal(provider) ? 'ready' : 'remote'}>
            {badgeText(provider, trans)}
          </span>
        </span>
      </div>
      <p className="jp-LocalCoder-Card-facts">{factsText(provider, list.kinds, trans)}</p>
      <p className="jp-LocalCoder-Card-facts">{whereText(provider, trans)}</p>
      {key !== '' && <p className="jp-LocalCoder-Card-facts">{key}</p>}
      {price !== '' && <p className="jp-LocalCoder-Card-facts">{trans.__('Price: %1', price)}</p>}
      {provider.problem !== '' && !note && (
        <p className="jp-LocalCoder-Note" data-severity="warning">
          {provider.problem}
        </p>
      )}
      <Test {...{ model, provider, trans }} />
      {note && (
        <Note
          note={note}
          trans={trans}
          onDismiss={() => {
            actionState.dismiss(id);
          }}
        />
      )}
      <Buttons {...props} />
    </li>
  );
}

/** What a test has shown, or that one is under way. */
function Test({
  model,
  provider,
  trans
}: Pick<IProviderCardProps, 'model' | 'provider' | 'trans'>): React.JSX.Element | null {
  const tested = model.tested(provider.id);
  return tested ? (
    <p
      className="jp-LocalCoder-Note"
      data-severity={tested.model_listed === false ? 'warning' : 'success'}
    >
      {testedText(tested, provider, trans)}
    </p>
  ) : null;
}

function Buttons(props: IProviderCardProps): React.JSX.Element {
  const { model, provider, trans } = props;
  const { id, name, active: isActive } = provider;
  const isLocked = props.list.locked;
  const isShut = id !== EMBEDDED && model.airGap;
  const isBusy = model.actionState.isBusy(id);
  const why = isShut ? { title: trans.__('The air gap is on.') } : {};
  return (
    <div className="jp-LocalCoder-buttons">
      <Button
        label={isActive ? trans.__('In use') : trans.__('Use')}
        name={isActive ? trans.__('In use: %1', name) : trans.__('Use: %1', name)}
        isOff={isActive || isShut || isBusy || isLocked}
        {...(isLocked && !isActive
          ? { title: trans.__('The active provider is set by the server administrator.') }
          : why)}
        onClick={() => void model.activate(id)}
      />
      <Button
        label={isBusy ? trans.__('Wait…') : trans.__('Test')}
        name={isBusy ? trans.__('Wait… %1', name) : trans.__('Test: %1', name)}
        isOff={isShut || isBusy}
        {...why}
        onClick={() => void model.test(id)}
      />
      {id !== EMBEDDED && (
        <>
          {provider.configured ? (
            <Button
              label={trans.__('Enter a key…')}
              name={trans.__('Enter a key… %1', name)}
              isOff={isBusy}
              onClick={props.onKey}
            />
          ) : (
            <Button
              label={trans.__('Edit')}
              name={trans.__('Edit: %1', name)}
              anchor={id}
              onClick={props.onEdit}
            />
          )}
          {hasKeptKey(provider) && (
            <Button
              label={trans.__('Delete the key')}
              name={trans.__('Delete the key: %1', name)}
              isOff={isBusy}
              onClick={() => void model.forgetKey(id)}
            />
          )}
          {!provider.configured && (
            <Button
              label={trans.__('Delete…')}
              name={trans.__('Delete… %1', name)}
              kind="warn"
              isOff={isBusy}
              onClick={props.onDelete}
            />
          )}
        </>
      )}
    </div>
  );
}
