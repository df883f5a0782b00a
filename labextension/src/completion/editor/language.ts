/** Names of languages as the server and the settings know them. Pure. */

import { FIELDS } from '../../contract';

/** CodeMirror's own names of what has a better known one. */
const KNOWN: Record<string, string> = {
  ipython: 'python',
  ipythongfm: 'markdown',
  gfm: 'markdown',
  none: 'text',
  'plain text': 'text'
};
const LENGTH = FIELDS.CompleteRequest.language.maxLength;

/** Name in small letters, from the name that CodeMirror has for a media type, or from the type itself. */
export function languageName(mimeType: string, name: string | null | undefined): string {
  if (/markdown|gfm/.test(mimeType)) {
    return 'markdown';
  }
  const found = (name ?? mimeType.replace(/^.*\/(x-)?/, '')).toLowerCase();
  return (KNOWN[found] ?? found).slice(0, LENGTH) || 'text';
}
