/** A provider as it is being typed in: what stands in the form, what is wrong with it, what is sent. */

import {
  type ProviderInfo,
  type ProviderKind,
  type ProviderSaveRequest,
  FIELDS
} from '../contract';
import { isUnencrypted, parseAddress } from '../shared/service/address';
import type { Translate } from '../shared/text/translate';

export type ProviderType = ProviderInfo['type'];
export type FillMode = ProviderInfo['fill'];

export interface IProviderDraft {
  id: string;
  type: ProviderType;
  name: string;
  base_url: string;
  model: string;
  /** Never filled in: a key goes to the service, and does not come back. */
  key: string;
  /** Forget the key when the server ends. */
  isForSession: boolean;
  fill: FillMode;
  fill_template: string;
  api_version: string;
  context_window: string;
  allow_unencrypted_key: boolean;
  timeout_seconds: string;
  connect_timeout_seconds: string;
  silence_timeout_seconds: string;
}

export type Field = keyof IProviderDraft;
export type Faults = Partial<Record<Field, string>>;

const FORM = FIELDS.ProviderSaveRequest;
/** What the service takes where nothing is said. */
const DEFAULTS = {
  fill: FORM.fill.default,
  fill_template: FORM.fill_template.default,
  timeout_seconds: String(FORM.timeout_seconds.default),
  connect_timeout_seconds: String(FORM.connect_timeout_seconds.default),
  silence_timeout_seconds: String(FORM.silence_timeout_seconds.default)
};

/** An empty form for a new provider. */
export function newDraft(kind: ProviderKind, taken: readonly string[]): IProviderDraft {
  return {
    id: freeId(kind.type, taken),
    type: kind.type,
    name: '',
    base_url: '',
    model: '',
    key: '',
    isForSession: false,
    api_version: '',
    context_window: '0',
    allow_unencrypted_key: false,
    ...DEFAULTS
  };
}

/** The form for one that is there. */
export function draftOf(provider: ProviderInfo, kind: ProviderKind | undefined): IProviderDraft {
  return {
    id: provider.id,
    type: provider.type,
    // What stands in for nothing is not written down as if it had been chosen.
    name: provider.name === provider.id ? '' : provider.name,
    base_url: provider.base_url === kind?.base_url ? '' : provider.base_url,
    model: provider.model,
    key: '',
    isForSession: provider.key === 'session',
    fill: provider.fill,
    fill_template: provider.fill_template,
    api_version: provider.api_version,
    context_window: String(provider.context_window),
    allow_unencrypted_key: provider.allow_unencrypted_key,
    timeout_seconds: String(provider.timeout_seconds),
    connect_timeout_seconds: String(provider.connect_timeout_seconds),
    silence_timeout_seconds: String(provider.silence_timeout_seconds)
  };
}

/** The same form for another type: an id that nobody has chosen goes with it. */
export function withKind(
  draft: IProviderDraft,
  kind: ProviderKind,
  taken: readonly string[]
): IProviderDraft {
  const isSuggested = draft.id === freeId(draft.type, taken);
  return {
    ...draft,
    type: kind.type,
    id: isSuggested ? freeId(kind.type, taken) : draft.id,
    fill: kind.fills.includes(draft.fill) ? draft.fill : 'off'
  };
}

/** The address in force: the one that was typed, or the vendor's own. */
export function addressOf(draft: IProviderDraft, kind: ProviderKind): string {
  return draft.base_url.trim() || kind.base_url;
}

/** The fields that the form has for what is chosen in it. */
export function fieldsOf(draft: IProviderDraft, kind: ProviderKind): Set<Field> {
  const fields = new Set<Field>(['id', 'type', 'name', 'base_url', 'model', 'key', 'isForSession']);
  fields.add('timeout_seconds').add('connect_timeout_seconds').add('silence_timeout_seconds');
  // An older server does not send them: a set of nothing is empty.
  for (const field of new Set(kind.form_fields)) {
    fields.add(field);
  }
  if (kind.fills.length > 1) {
    fields.add('fill');
    if (draft.fill === 'tokens') {
      fields.add('fill_template');
    }
  }
  if (draft.allow_unencrypted_key || isUnencrypted(addressOf(draft, kind))) {
    fields.add('allow_unencrypted_key');
  }
  return fields;
}

/** What is wrong, by field. `taken` are the ids that are not free; empty for one that is there already. */
export function faultsOf(
  draft: IProviderDraft,
  kind: ProviderKind,
  taken: readonly string[],
  trans: Translate
): Faults {
  const faults: Faults = {};
  if (!FORM.id.pattern.test(draft.id)) {
    faults.id = trans.__('Lowercase letters, digits and dashes; begin with a letter or a digit.');
  } else if (taken.includes(draft.id)) {
    faults.id = trans.__('A provider with this id already exists.');
  }
  const address = addressOf(draft, kind);
  if (address === '') {
    faults.base_url = trans.__('The address is required.');
  } else if (!parseAddress(address)) {
    faults.base_url = trans.__(
      'An address begins with http:// or https:// and contains no password and no “?”.'
    );
  }
  if (draft.key !== '' && !FORM.key.pattern.test(draft.key)) {
    faults.key = trans.__('A key contains no spaces or accented letters.');
  }
  if (!FORM.api_version.pattern.test(draft.api_version)) {
    faults.api_version = trans.__('A date, for example 2024-10-21, or empty.');
  }
  if (
    !isBetween(draft.context_window, FORM.context_window) ||
    !/^\d+$/.test(draft.context_window)
  ) {
    faults.context_window = trans.__('An integer up to %1.', FORM.context_window.max);
  }
  if (draft.fill === 'tokens' && !hasPlaces(draft.fill_template)) {
    faults.fill_template = trans.__('It must contain {prefix} and {suffix} exactly once each.');
  }
  for (const field of [
    'timeout_seconds',
    'connect_timeout_seconds',
    'silence_timeout_seconds'
  ] as const) {
    if (!isBetween(draft[field], FORM[field])) {
      faults[field] = trans.__('Between %1 and %2 seconds.', FORM[field].min, FORM[field].max);
    }
  }
  // What the form does not show, nobody could put right.
  const shown = fieldsOf(draft, kind);
  return Object.fromEntries(Object.entries(faults).filter(([name]) => shown.has(name as Field)));
}

/** What is sent: of the fields, those that the form has. */
export function requestOf(draft: IProviderDraft, kind: ProviderKind): ProviderSaveRequest {
  const shown = fieldsOf(draft, kind);
  const request: ProviderSaveRequest = {
    id: draft.id,
    type: draft.type,
    name: draft.name.trim(),
    base_url: draft.base_url.trim(),
    model: draft.model.trim(),
    timeout_seconds: Number(draft.timeout_seconds),
    connect_timeout_seconds: Number(draft.connect_timeout_seconds),
    silence_timeout_seconds: Number(draft.silence_timeout_seconds)
  };
  if (shown.has('api_version')) {
    request.api_version = draft.api_version;
  }
  if (shown.has('context_window')) {
    request.context_window = Number(draft.context_window);
  }
  if (shown.has('fill')) {
    request.fill = draft.fill;
    // Kept while another way is chosen: somebody may come back to it.
    request.fill_template = draft.fill_template;
  }
  if (shown.has('allow_unencrypted_key')) {
    request.allow_unencrypted_key = draft.allow_unencrypted_key;
  }
  if (draft.key !== '') {
    request.key = draft.key;
    request.keep_key = draft.isForSession ? 'session' : 'auto';
  }
  return request;
}

/** Whether a name that the service gives to a field is one of the form's. */
export function isField(name: unknown, draft: IProviderDraft): name is Field {
  return typeof name === 'string' && name in draft;
}

function freeId(type: ProviderType, taken: readonly string[]): string {
  const base = type.replaceAll('_', '-');
  let id = base;
  for (let number = 2; taken.includes(id); number += 1) {
    id = `${base}-${number}`;
  }
  return id;
}

function isBetween(text: string, { min, max }: { min: number; max: number }): boolean {
  const number = Number(text);
  return text.trim() !== '' && number >= min && number <= max;
}

function hasPlaces(template: string): boolean {
  const places = template.match(/\{(prefix|suffix)\}/g) ?? [];
  return [...places].sort().join() === '{prefix},{suffix}';
}
