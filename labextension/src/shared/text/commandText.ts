/** The commands by the names that people know. */

import type { Translate } from './translate';

/** What was asked: a command, a turn of a chat, or a prompt in somebody's own words. */
export function commandText(kind: string, command: string, trans: Translate): string {
  if (kind === 'chat') {
    return trans.__('Chat');
  }
  switch (command) {
    case 'explain':
      return trans.__('Explain');
    case 'improve':
      return trans.__('Improve');
    case 'fix':
      return trans.__('Fix');
    case 'document':
      return trans.__('Document');
    case 'test':
      return trans.__('Write tests');
    case 'generate':
      return trans.__('Generate');
    default:
      return trans.__('Prompt');
  }
}
