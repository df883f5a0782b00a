/** Why a setting cannot be changed in the interface. */

import type { Layer, Settings, SettingsView } from '../../contract';
import type { Translate } from '../text/translate';

/** Why a setting cannot be changed here; empty if it can. */
export function fixedText(view: SettingsView, name: keyof Settings, trans: Translate): string {
  return layerText(view.sources[name], trans);
}

/** Why a value that this layer defines cannot be changed here; empty if it can. */
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
