/** What cell an answer of the history becomes. Pure. */

import { codeOf, fences } from '../answers/fences';
import { plain } from '../answers/plain';
import { cellMagicOf } from '../commands/target';
import { CHANGES, type Response } from '../contract';

/**
 * Its code where it has some, else its text. A changed cell of another language keeps its cell magic, which
 * the model was not shown: without it the code would run as Python.
 */
export function cellOf(
  response: Pick<Response, 'command' | 'prompt' | 'content'>,
  language: string
): { kind: 'code' | 'markdown'; source: string } {
  const text = plain(response.content);
  if (response.command === 'explain' || fences(text).length === 0) {
    return { kind: 'markdown', source: text };
  }
  const asked = CHANGES.some(command => command === response.command)
    ? fences(response.prompt)
    : [];
  const magic = asked.map(fence => cellMagicOf(fence.text)).find(found => found !== '') ?? '';
  const code = codeOf(text, asked.find(fence => cellMagicOf(fence.text) !== '')?.info ?? language);
  const source = magic === '' || cellMagicOf(code) !== '' ? code : `${magic}\n${code}`;
  return { kind: 'code', source };
}
