/** Why a panel does not show what it is there for. */

import type { Translate } from '../text/translate';
import type { ChannelState } from '../tokens';

export function awayText(channel: ChannelState, trans: Translate): string {
  switch (channel) {
    case 'absent':
      return trans.__('The Jupyter server does not run the LocalCoder extension.');
    case 'away':
      return trans.__('Connection to the Jupyter server lost. Reconnecting…');
    default:
      return trans.__('Loading…');
  }
}
