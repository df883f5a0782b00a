/** The next word and the next line of a suggestion. Pure. */

/** White space, punctuation and a word, each only if it is there: `foo`, `.bar`, `(x`, `)`. */
const WORD = /^\s*[^\p{L}\p{N}\p{M}_\s]*[\p{L}\p{N}\p{M}_]*/u;
/** Where the cursor stands at the end of a line, the line break comes along. */
const LINE = /^\n*[^\n]*/;

export function nextWord(text: string): string {
  return WORD.exec(text)?.[0] ?? '';
}

export function nextLine(text: string): string {
  return LINE.exec(text)?.[0] ?? '';
}
