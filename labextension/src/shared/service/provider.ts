/** A provider: which one is the embedded one, and where prompts go. */

import { EMBEDDED, type ProviderInfo } from '../../contract';
import type { Translate } from '../text/translate';
import { isNear, placeOf } from './address';

/** Whether prompts stay on the machine that runs Jupyter. */
export function isLocal({ id, base_url }: ProviderInfo): boolean {
  return id === EMBEDDED || isNear(base_url);
}

/** A sentence: where prompts go. */
export function whereText(provider: ProviderInfo, trans: Translate): string {
  if (provider.id === EMBEDDED) {
    return trans.__('Prompts stay within LocalCoder on this machine.');
  }
  const place = placeOf(provider.base_url);
  return isNear(provider.base_url)
    ? trans.__('Prompts go to another program on this machine, at %1.', place)
    : trans.__('Prompts go to another machine: %1.', place);
}
