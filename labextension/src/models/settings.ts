/** The settings that the panel offers: what can be chosen. */

import { type Acceleration, MODEL_ID, type ModelInfo, type RunMode } from '../contract';
import type { Translate } from '../shared/text/translate';
import type { IOption } from '../shared/ui/setting';
import type { IModelView } from './view';

/** What a model of one's own choice means, and how to give it up. */
export function pinnedText(trans: Translate): string {
  return trans.__(
    'Pinned: used even if a better model is downloaded. Select “By profile” to unpin it.'
  );
}

/** Models that can answer: those that are here, and the one that is chosen whether it is or not. */
export function modelOptions(
  models: readonly IModelView[],
  chosen: string,
  role: 'code' | 'general',
  ofProfile: string,
  trans: Translate
): IOption[] {
  const names = new Map(models.map(({ info }) => [info.id, info.name]));
  const offered = models.filter(({ info }) => info.id === chosen || info.state === 'ready');
  return [
    { value: '', label: trans.__('By profile: %1', names.get(ofProfile) ?? ofProfile) },
    ...offered.map(({ info }) => ({ value: info.id, label: optionLabel(info, role, trans) }))
  ];
}

function optionLabel(info: ModelInfo, role: 'code' | 'general', trans: Translate): string {
  if (info.state !== 'ready') {
    return trans.__('%1 (not on this machine)', info.name);
  }
  return role === 'code' && info.fill_in_the_middle === false
    ? trans.__('%1 (no completion while typing)', info.name)
    : info.name;
}

export function accelerationOptions(trans: Translate): (IOption & { value: Acceleration })[] {
  return [
    { value: 'auto', label: trans.__('Automatic') },
    { value: 'gpu', label: trans.__('GPU') },
    { value: 'cpu', label: trans.__('CPU only') }
  ];
}

export function runModeOptions(trans: Translate): (IOption & { value: RunMode })[] {
  return [
    { value: 'performance', label: trans.__('Performance') },
    { value: 'stability', label: trans.__('Stability: less memory, CPU') }
  ];
}

/** A name that a model may have; what the service says of another one is no sentence. */
export function isModelId(text: string): boolean {
  return MODEL_ID.test(text);
}
