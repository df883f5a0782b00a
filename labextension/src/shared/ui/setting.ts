/** A setting: what can be chosen, and why it cannot be changed here. */

import type { Layer, Settings, SettingsView } from '../../contract';
import type { Translate } from '../text/translate';

export interface IOption {
  value: string;
  label: string;
}

/** Why a setting cannot be changed here; empty where it can. */
export function fixedText(view: SettingsView, name: keyof Settings, trans: Translate): string {
  return layerText(view.sources[name], trans);
}

/** Why what a layer decides cannot be changed here; empty where it can. */
export function layerText(layer: Layer | undefined, trans: Translate): string {
  switch (layer) {
    case 'environment':
      return trans.__('Fixed by the environment of the Jupyter server.');
    case 'command-line':
      return trans.__('Fixed by the command line of the Jupyter server.');
    default:
      return '';
  }
}
