/** The words for a provider: where its prompts go, its key, its price, what a test has shown. */

import {
  EMBEDDED,
  type KeyStorage,
  type ProviderInfo,
  type ProviderKind,
  type ProviderList,
  type ProviderPrice,
  type ProviderTested,
  type Settings
} from '../contract';
import { isNear, placeOf } from '../shared/service/address';
import { isLocal } from '../shared/service/provider';
import type { Translate } from '../shared/text/translate';
import { dollars } from '../shared/text/units';
import type { IOption } from '../shared/ui/fields';

/** A word or two for the badge: whose machine reads the prompts. */
export function badgeText(provider: ProviderInfo, trans: Translate): string {
  return isLocal(provider) ? trans.__('local') : trans.__('remote');
}

/** Who can complete: those that fill in the middle, and the one that is chosen whether it does or not. */
export function completionOptions(
  { providers }: ProviderList,
  chosen: string,
  trans: Translate
): IOption[] {
  const offered = providers
    .filter(({ id, completes }) => completes || id === chosen)
    .map(({ id, name, completes }) => ({
      value: id,
      label: completes ? name : trans.__('%1 (no fill-in-the-middle)', name)
    }));
  return offered.some(({ value }) => value === chosen)
    ? offered
    : [...offered, { value: chosen, label: trans.__('%1 (not available)', chosen) }];
}

/** What leaves for the sake of completion, or why there is none. */
export function completionText(
  { providers }: ProviderList,
  { completion_provider: chosen, air_gap: airGap }: Settings,
  trans: Translate
): { text: string; isTrouble: boolean } {
  const provider = providers.find(({ id }) => id === chosen);
  const trouble = (text: string): { text: string; isTrouble: boolean } => ({
    text,
    isTrouble: true
  });
  if (chosen === EMBEDDED) {
    return { text: trans.__('What you type stays within LocalCoder.'), isTrouble: false };
  }
  if (!provider) {
    return trouble(
      trans.__(
        'Code completion is off: the provider %1 does not exist. Select another provider.',
        chosen
      )
    );
  }
  if (airGap) {
    return trouble(
      trans.__('Code completion is off: the air gap is on. Select the embedded model.')
    );
  }
  if (!provider.completes) {
    return trouble(
      trans.__(
        'Code completion is off: choose a fill-in-the-middle format in the settings of this provider.'
      )
    );
  }
  const place = placeOf(provider.base_url);
  const text = isNear(provider.base_url)
    ? trans.__(
        'On nearly every keystroke, the code around the cursor, neighbouring cells, and the names of kernel ' +
          'variables and columns are sent to another program on this machine, at %1.',
        place
      )
    : trans.__(
        'On nearly every keystroke, the code around the cursor, neighbouring cells, and the names of kernel ' +
          'variables and columns are sent to another machine: %1.',
        place
      );
  return { text, isTrouble: false };
}

/** One line: what kind it is, and which model it is asked for. */
export function factsText(
  provider: ProviderInfo,
  kinds: readonly ProviderKind[],
  trans: Translate
): string {
  const title = kinds.find(({ type }) => type === provider.type)?.title ?? provider.type;
  if (provider.id === EMBEDDED) {
    return trans.__('The models in the “Models” tab');
  }
  const model = provider.model === '' ? trans.__('no model selected') : provider.model;
  return [title, model].join(' · ');
}

/** Where the key is; empty for who needs none and has none. */
export function keyText({ id, key, key_needed: isNeeded }: ProviderInfo, trans: Translate): string {
  switch (key) {
    case 'environment':
      return trans.__('Key: from the environment of the Jupyter server');
    case 'keyring':
      return trans.__('Key: in the keyring');
    case 'file':
      return trans.__('Key: in an encrypted file');
    case 'session':
      return trans.__('Key: in memory, until the server stops');
    case 'none':
      if (id === EMBEDDED) {
        return '';
      }
      return isNeeded ? trans.__('Key: required, but missing') : trans.__('Key: none');
  }
}

/** Whether there is a key that can be forgotten: one of the environment is not ours. */
export function hasKeptKey({ key }: ProviderInfo): boolean {
  return key !== 'none' && key !== 'environment';
}

/** Where a key goes that is entered now. */
export function storageText({ place }: KeyStorage, trans: Translate): string {
  switch (place) {
    case 'keyring':
      return trans.__('The key is stored in the keyring of the machine that runs Jupyter.');
    case 'file':
      return trans.__('The key is stored in an encrypted file on the machine that runs Jupyter.');
    case 'session':
      return trans.__('The key is kept in memory until the server stops.');
  }
}

/** What a million tokens cost; empty where no price was written. */
export function priceText(price: ProviderPrice | null, trans: Translate, locale?: string): string {
  if (!price) {
    return '';
  }
  const usd = (value: number): string => dollars(value, locale);
  return price.cached_input === null
    ? trans.__('%1 input, %2 output per million tokens', usd(price.input), usd(price.output))
    : trans.__(
        '%1 input (%2 cached), %3 output per million tokens',
        usd(price.input),
        usd(price.cached_input),
        usd(price.output)
      );
}

/** What a test has shown, in sentences. */
export function testedText(
  { models, latency_ms, model_listed }: ProviderTested,
  provider: ProviderInfo,
  trans: Translate
): string {
  const sentences = [
    provider.id === EMBEDDED
      ? trans.__('Ready.')
      : trans.__('Responded in %1 ms.', Math.max(1, Math.round(latency_ms)))
  ];
  if (models.length === 0) {
    sentences.push(trans.__('It does not list its models.'));
  } else if (model_listed === null) {
    sentences.push(trans.__('Available models: %1.', some(models, trans)));
  } else if (model_listed) {
    sentences.push(trans.__('The model %1 is available.', provider.model));
  } else {
    sentences.push(
      trans.__(
        'The model %1 is not available. Available models: %2.',
        provider.model,
        some(models, trans)
      )
    );
  }
  return sentences.join(' ');
}

const MOST_NAMED = 5;

function some(names: readonly string[], trans: Translate): string {
  const first = names.slice(0, MOST_NAMED).join(', ');
  return names.length > MOST_NAMED
    ? trans.__('%1 and %2 more', first, names.length - MOST_NAMED)
    : first;
}
