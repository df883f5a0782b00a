/** Answers of the service, as the tests need them. */

import type { ProviderInfo, ProviderKind, ProviderList } from '../../src/contract';

const kind = (
  type: ProviderInfo['type'],
  title: string,
  changes: Partial<ProviderKind> = {}
): ProviderKind => ({
  type,
  title,
  base_url: '',
  key_needed: false,
  key_variables: [],
  fills: ['off'],
  form_fields: [],
  ...changes
});

export const KINDS = {
  embedded: kind('embedded', 'Embedded'),
  ollama: kind('ollama', 'Ollama', {
    base_url: 'http://127.0.0.1:11434',
    form_fields: ['context_window']
  }),
  openai: kind('openai', 'OpenAI', {
    base_url: 'https://api.openai.com/v1',
    key_needed: true,
    key_variables: ['OPENAI_API_KEY']
  }),
  azure_openai: kind('azure_openai', 'Azure OpenAI', {
    key_needed: true,
    form_fields: ['api_version']
  }),
  openai_compatible: kind('openai_compatible', 'OpenAI-compatible', {
    fills: ['off', 'suffix', 'infill', 'tokens']
  })
} as const;

export function provider(id: string, changes: Partial<ProviderInfo> = {}): ProviderInfo {
  return {
    id,
    type: 'openai_compatible',
    name: id,
    base_url: 'https://models.example/v1',
    model: 'm',
    timeout_seconds: 300,
    connect_timeout_seconds: 10,
    silence_timeout_seconds: 60,
    fill: 'off',
    fill_template: '<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>',
    api_version: '',
    context_window: 0,
    allow_unencrypted_key: false,
    active: false,
    key: 'none',
    key_needed: false,
    problem: '',
    completes: false,
    remote: true,
    in_use: 0,
    price: null,
    updated_at: '',
    configured: false,
    ...changes
  };
}

export const EMBEDDED_PROVIDER = provider('embedded', {
  type: 'embedded',
  name: 'Embedded',
  base_url: '',
  model: '',
  active: true,
  completes: true,
  remote: false
});

export function list(...others: ProviderInfo[]): ProviderList {
  const providers = [EMBEDDED_PROVIDER, ...others];
  const active = others.find(one => one.active)?.id ?? 'embedded';
  return {
    providers: providers.map(one => ({ ...one, active: one.id === active })),
    kinds: Object.values(KINDS),
    active,
    key_storage: { place: 'file', note: 'Keys are kept in a file.' },
    path: '/providers.json',
    prices_path: '/prices.json',
    problem: '',
    locked: false
  };
}
