import { describe, expect, it } from 'vitest';

import {
  draftOf,
  faultsOf,
  fieldsOf,
  type IProviderDraft,
  isField,
  newDraft,
  requestOf,
  withKind
} from '../../src/providers/draft';
import { trans } from '../fakes';
import { KINDS, provider } from './samples';

const compatible = (changes: Partial<IProviderDraft> = {}): IProviderDraft => ({
  ...newDraft(KINDS.openai_compatible, []),
  base_url: 'http://127.0.0.1:8080/v1',
  ...changes
});

const faults = (changes: Partial<IProviderDraft>, taken: string[] = []): string[] =>
  Object.keys(faultsOf(compatible(changes), KINDS.openai_compatible, taken, trans));

describe('a new provider', () => {
  it('has a free id, which goes with its kind until somebody chooses one', () => {
    expect(newDraft(KINDS.openai, []).id).toBe('openai');
    expect(newDraft(KINDS.openai, ['openai', 'openai-2']).id).toBe('openai-3');
    const draft = newDraft(KINDS.ollama, []);
    expect(withKind(draft, KINDS.azure_openai, []).id).toBe('azure-openai');
    expect(withKind({ ...draft, id: 'mine' }, KINDS.azure_openai, []).id).toBe('mine');
  });

  it('asks each kind for what it needs, and for nothing else', () => {
    const own = (kind: keyof typeof KINDS, changes: Partial<IProviderDraft> = {}) => {
      const fields = fieldsOf({ ...newDraft(KINDS[kind], []), ...changes }, KINDS[kind]);
      return ['api_version', 'context_window', 'fill', 'fill_template'].filter(name =>
        fields.has(name as keyof IProviderDraft)
      );
    };
    expect(own('openai')).toEqual([]);
    expect(own('azure_openai')).toEqual(['api_version']);
    expect(own('ollama')).toEqual(['context_window']);
    expect(own('openai_compatible')).toEqual(['fill']);
    expect(own('openai_compatible', { fill: 'tokens' })).toEqual(['fill', 'fill_template']);
  });

  it('forgets a way of filling that its new kind does not have', () => {
    const draft = compatible({ fill: 'infill' });
    expect(withKind(draft, KINDS.openai, []).fill).toBe('off');
  });

  it('asks whether a key may travel unencrypted only where it would', () => {
    const asks = (base_url: string) =>
      fieldsOf(compatible({ base_url }), KINDS.openai_compatible).has('allow_unencrypted_key');
    expect(asks('http://models.example/v1')).toBe(true);
    expect(asks('https://models.example/v1')).toBe(false);
    expect(asks('http://127.0.0.1:8080')).toBe(false);
    expect(asks('http://localhost:8080')).toBe(false);
  });
});

describe('what is wrong', () => {
  it('is found by field', () => {
    expect(faults({})).toEqual([]);
    expect(faults({ id: 'A b' })).toEqual(['id']);
    expect(faults({ id: 'lab' }, ['lab'])).toEqual(['id']);
    expect(faults({ key: 'sk with spaces' })).toEqual(['key']);
    expect(faults({ timeout_seconds: '' })).toEqual(['timeout_seconds']);
    expect(faults({ silence_timeout_seconds: '1e9' })).toEqual(['silence_timeout_seconds']);
    expect(faults({ fill: 'tokens', fill_template: '{prefix} alone' })).toEqual(['fill_template']);
    expect(faults({ fill: 'tokens' })).toEqual([]);
  });

  it.each([
    '',
    'nonsense',
    'ftp://host',
    'file:///etc/passwd',
    'http://me:secret@host/',
    'http://h/?k=1',
    'http://h/#'
  ])('is the address %j', base_url => {
    expect(faults({ base_url })).toEqual(['base_url']);
  });

  it('is not an address that the vendor has', () => {
    const draft = newDraft(KINDS.openai, []);
    expect(faultsOf(draft, KINDS.openai, [], trans)).toEqual({});
  });

  it('is not in a field that the form does not show', () => {
    const draft = { ...newDraft(KINDS.openai, []), context_window: 'many', api_version: '!' };
    expect(faultsOf(draft, KINDS.openai, [], trans)).toEqual({});
  });
});

describe('what is sent', () => {
  it('is what the form shows', () => {
    expect(requestOf(compatible({ model: ' m ', name: ' Lab ' }), KINDS.openai_compatible)).toEqual(
      {
        id: 'openai-compatible',
        type: 'openai_compatible',
        name: 'Lab',
        base_url: 'http://127.0.0.1:8080/v1',
        model: 'm',
        timeout_seconds: 300,
        connect_timeout_seconds: 10,
        silence_timeout_seconds: 60,
        fill: 'off',
        fill_template: '<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>'
      }
    );
  });

  it('has a key only where one was entered, and says how long it is to be kept', () => {
    const key = (changes: Partial<IProviderDraft>) => {
      const request = requestOf(compatible(changes), KINDS.openai_compatible);
      return [request.key, request.keep_key];
    };
    expect(key({ isForSession: true })).toEqual([undefined, undefined]);
    expect(key({ key: 'sk' })).toEqual(['sk', 'auto']);
    expect(key({ key: 'sk', isForSession: true })).toEqual(['sk', 'session']);
  });

  it('changes nothing where nothing was changed', () => {
    const before = provider('lab', {
      name: 'The lab',
      base_url: 'http://models.example/v1',
      allow_unencrypted_key: true,
      fill: 'tokens',
      timeout_seconds: 12.5
    });
    const request = requestOf(draftOf(before, KINDS.openai_compatible), KINDS.openai_compatible);
    expect({ ...before, ...request }).toEqual(before);
    expect(request.key).toBeUndefined();
  });

  it('does not write down what stands in for nothing', () => {
    const before = provider('mine', { type: 'openai', base_url: 'https://api.openai.com/v1' });
    const request = requestOf(draftOf(before, KINDS.openai), KINDS.openai);
    expect([request.name, request.base_url]).toEqual(['', '']);
  });
});

it('knows the fields by the names that the service gives them', () => {
  expect(isField('base_url', compatible())).toBe(true);
  expect(isField('messages', compatible())).toBe(false);
  expect(isField(undefined, compatible())).toBe(false);
});
