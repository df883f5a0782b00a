/** What cell an answer of the history becomes. Pure. */

import { CHANGES, type Response } from '../contract';
import { blockOf, fences, type ICodeBlock } from '../shared/answers/fences';
import { plain } from '../shared/answers/plain';

/** A text, or code and what was to be changed, whose magics the model was not shown. */
export type InsertableCell =
  { kind: 'markdown'; text: string } | { kind: 'code'; block: ICodeBlock; before: string };

/** Its code where it has some, else its text. */
export function cellOf(
  response: Pick<Response, 'command' | 'prompt' | 'content'>,
  language: string
): InsertableCell {
  const text = plain(response.content);
  if (response.command === 'explain' || fences(text).length === 0) {
    return { kind: 'markdown', text };
  }
  const isChange = CHANGES.some(command => command === response.command);
  // The person's words stand before it, and behind it the error, as text.
  const asked = isChange
    ? fences(response.prompt)
        .filter(one => one.info !== 'text')
        .at(-1)
    : null;
  return {
    kind: 'code',
    block: blockOf(text, asked?.info ?? language),
    before: asked?.text ?? ''
  };
}
