/** The settings that the panel offers: what can be chosen. */

import {
  type Acceleration,
  accelerationWord,
  managerText,
  MODEL_ID,
  type ModelInfo,
  type RunMode,
  runModeWord
} from '../contract';
import type { Translate } from '../shared/text/translate';
import type { IOption } from '../shared/ui/fields';
import type { IModelView } from './view';

/** What a model of one's own choice means, and how to give it up. */
export function pinnedText(trans: Translate): string {
  return managerText('pinned', trans);
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
    { value: '', label: managerText('by-profile', trans, names.get(ofProfile) ?? ofProfile) },
    ...offered.map(({ info }) => ({ value: info.id, label: optionLabel(info, role, trans) }))
  ];
}

function optionLabel(info: ModelInfo, role: 'code' | 'general', trans: Translate): string {
  if (info.state !== 'ready') {
    return managerText('not-here', trans, info.name);
  }
  return role === 'code' && info.fill_in_the_middle === false
    ? managerText('not-completing', trans, info.name)
    : info.name;
}

export function accelerationOptions(trans: Translate): (IOption & { value: Acceleration })[] {
  return [
    { value: 'auto', label: accelerationWord('auto', trans) },
    { value: 'gpu', label: accelerationWord('gpu', trans) },
    { value: 'cpu', label: accelerationWord('cpu', trans) }
  ];
}

export function runModeOptions(trans: Translate): (IOption & { value: RunMode })[] {
  return [
    { value: 'performance', label: runModeWord('performance', trans) },
    { value: 'stability', label: runModeWord('stability', trans) }
  ];
}

/** A name that a model may have; what the service says of another one is no sentence. */
export function isModelId(text: string): boolean {
  return MODEL_ID.test(text);
}
