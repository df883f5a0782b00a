/** Answers of the service, as the tests need them. */

import type {
  Memory,
  MemoryFit,
  ModelInfo,
  ModelList,
  ModelStateEvent,
  SettingsView
} from '../../src/contract';

export const FIT: MemoryFit = {
  fit: 'fits',
  weights_bytes: 1_100_000_000,
  kv_bytes: 290_000_000,
  compute_bytes: 310_000_000,
  overhead_bytes: 100_000_000,
  private_bytes: 1_300_000_000,
  needed_bytes: 1_800_000_000,
  available_bytes: 8_000_000_000,
  context_window: 10240
};

export const MEMORY: Memory = {
  worker_bytes: 0,
  server_bytes: 0,
  available_bytes: 8_000_000_000,
  total_bytes: 16_000_000_000,
  kernels: 0,
  kernels_bytes: 0,
  given_back_bytes: 0
};

export function info(id: string, changes: Partial<ModelInfo> = {}): ModelInfo {
  return {
    id,
    name: `Model ${id}`,
    size_bytes: 1_117_320_768,
    digest: 'ab'.repeat(32),
    quantization: 'Q4_K_M',
    parameters: '1.5B',
    license: 'Apache-2.0',
    license_accepted: false,
    context_length: 32768,
    roles: ['code', 'general'],
    fill_in_the_middle: true,
    state: 'idle',
    received_bytes: 0,
    origin: 'catalogue',
    revision: 'f86cb2c1fa58255f8052cc32aeede1b7482d4361',
    fit: FIT,
    loaded: false,
    error: null,
    activity: '',
    rate_bytes_per_second: 0,
    linked: false,
    pinned: false,
    update: null,
    recheck: false,
    speed: null,
    model_path: '',
    origins: [],
    ...changes
  };
}

export function list(...models: ModelInfo[]): ModelList {
  const profile = { description: '', context_window: 8192, draft_model: '' };
  return {
    models,
    licenses: [{ id: 'Apache-2.0', name: 'Apache', text: 'whole', sha256: 'c0', attribution: '' }],
    profiles: [
      { ...profile, name: 'Compact', model: 'a', general_model: 'a' },
      { ...profile, name: 'Balanced', model: 'a', general_model: 'b' }
    ],
    active_profile: 'Balanced',
    profile_reason: 'It fits.',
    recommended_profile: 'Compact',
    recommended_reason: 'It fits.',
    models_dir: '/m',
    memory: MEMORY,
    code_model: '',
    general_model: '',
    imports: [],
    engine_error: null
  };
}

export function settings(changes: Partial<SettingsView['settings']> = {}): SettingsView {
  return {
    settings: {
      profile: 'auto',
      model: '',
      general_model: '',
      context_window: 0,
      temperature: 0.2,
      top_k: 40,
      top_p: 0.95,
      min_p: 0.05,
      repeat_penalty: 1,
      max_tokens: 1024,
      max_reasoning_chars: 100000,
      idle_minutes: 15,
      keep_resident: false,
      acceleration: 'auto',
      run_mode: 'performance',
      air_gap: false,
      tab_completion: true,
      completion_provider: 'embedded',
      completion_timeout_seconds: 15,
      completion_max_tokens: 0,
      completion_temperature: 0,
      prewarm: false,
      suggestion_counts: true,
      rules: true,
      history: true,
      titles: true,
      title_provider: 'embedded',
      title_model: '',
      title_timeout_seconds: 60,
      ...changes
    },
    sources: {},
    path: '/settings.json'
  };
}

export function moved(id: string, changes: Partial<ModelStateEvent> = {}): ModelStateEvent {
  return {
    id,
    state: 'downloading',
    received_bytes: 0,
    total_bytes: 1000,
    rate_bytes_per_second: 0,
    error: null,
    activity: 'download',
    model_path: '',
    ...changes
  };
}
