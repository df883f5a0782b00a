/** The text around the cursor, as much of it as a request carries. Pure. */

/** The part of CodeMirror's text that is needed here. Offsets count UTF-16 units, as all do in the browser. */
export interface IText {
  readonly length: number;
  sliceString(from: number, to?: number): string;
  lineAt(position: number): { readonly from: number; readonly to: number };
}

/** Most characters before the cursor: far more than any window of a model that runs on a laptop. */
export const PREFIX_CHARS = 100_000;
export const SUFFIX_CHARS = 50_000;
/** A cut stays where it is while so much is typed, so that the server sees the same beginning again. */
const STEP_CHARS = 20_000;

/** Text before a position, cut at the start of a line where it is too long. */
export function textBefore(text: IText, position: number): string {
  if (position <= PREFIX_CHARS) {
    return text.sliceString(0, position);
  }
  const cut = Math.ceil((position - PREFIX_CHARS) / STEP_CHARS) * STEP_CHARS;
  const nextLine = text.lineAt(cut).to + 1;
  return text.sliceString(nextLine < position ? nextLine : whole(text, cut), position);
}

/** Text after a position, cut at the end of a line where it is too long. */
export function textAfter(text: IText, position: number): string {
  if (text.length - position <= SUFFIX_CHARS) {
    return text.sliceString(position);
  }
  const cut = Math.floor((position + SUFFIX_CHARS) / STEP_CHARS) * STEP_CHARS;
  const lineStart = text.lineAt(cut).from;
  return text.sliceString(position, lineStart > position ? lineStart : whole(text, cut));
}

/** The position, or the next one where it would tear a character of two units apart. */
function whole(text: IText, position: number): number {
  const unit = text.sliceString(position, position + 1).charCodeAt(0);
  return unit >= 0xdc00 && unit <= 0xdfff ? position + 1 : position;
}
