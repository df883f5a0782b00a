/** A model as the views show it: what the service says of it, and what is under way. */

import type {
  BackendState,
  ModelInfo,
  ModelList,
  ModelStateEvent,
  SettingsView
} from '../contract';
import { residents } from '../shared/service/residents';
import type { IProgress } from './progress';

export interface IModelView {
  info: ModelInfo;
  progress: IProgress | null;
  /** Whether it is being loaded now. */
  isLoading: boolean;
  isForCode: boolean;
  isForGeneral: boolean;
}

/** Ids of the models that answer by the settings in force. */
export function answering(
  list: ModelList | null,
  settings: SettingsView | null
): { code: string; general: string } {
  const active = list?.profiles.find(profile => profile.name === list.active_profile);
  const chosen = settings?.settings;
  // Where none can answer: the one that would, if it were here. Empty means: as the profile says.
  const first = (...ids: (string | undefined)[]): string => ids.find(Boolean) ?? '';
  return {
    code: first(list?.code_model, chosen?.model, active?.model),
    general: first(list?.general_model, chosen?.general_model, active?.general_model)
  };
}

export function modelView(
  info: ModelInfo,
  event: ModelStateEvent | undefined,
  backend: BackendState | null,
  answers: { code: string; general: string }
): IModelView {
  const isLoading =
    backend !== null &&
    residents(backend).some(
      ({ model, state }) => model === info.id && (state === 'starting' || state === 'loading')
    );
  return {
    info,
    progress: event ? progressOf(event) : kept(info),
    isLoading,
    isForCode: answers.code === info.id,
    isForGeneral: answers.general === info.id
  };
}

export function progressOf(event: ModelStateEvent): IProgress {
  return {
    activity: event.activity,
    isVerifying: event.state === 'verifying',
    receivedBytes: event.received_bytes,
    totalBytes: event.total_bytes,
    bytesPerSecond: event.rate_bytes_per_second
  };
}

/** What an answer says is under way, or the part of a download that was stopped. */
function kept(info: ModelInfo): IProgress | null {
  if (info.activity === '' && !(info.state === 'idle' && info.received_bytes > 0)) {
    return null;
  }
  return {
    activity: info.activity,
    isVerifying: info.state === 'verifying',
    receivedBytes: info.received_bytes,
    totalBytes: info.size_bytes,
    bytesPerSecond: info.rate_bytes_per_second
  };
}
