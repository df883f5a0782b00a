/** Formulas as models write them, for JupyterLab's Markdown. Pure. */

/** Code, in which nothing is a formula: a block between fences, whole or still being written, or a span. */
const CODE =
  /^[ \t>]*(?<fence>`{3,}|~{3,})[^\n]*(?:\n[^]*?(?:\n[ \t>]*\k<fence>[`~]*[ \t]*$|$(?![^]))|$(?![^]))|(?<![`\\])(?<ticks>`+)(?!`)[^]*?(?<!`)\k<ticks>(?!`)/;
/** One paragraph at most; `\[text\](address)` is a link that is meant as text. */
const FORMULA =
  /(?<!\\)\\\((?<inline>(?:(?!\n[ \t]*\n)[^])+?)(?<!\\)\\\)|(?<!\\)\\\[(?<block>(?:(?!\n[ \t]*\n)[^])+?)(?<!\\)\\\](?!\()/;
const EITHER = new RegExp(`${CODE.source}|${FORMULA.source}`, 'gm');

/**
 * A text in which `\(…\)` and `\[…\]` are formulas.
 *
 * In Markdown they are escaped brackets; JupyterLab takes them for formulas with two backslashes.
 */
export function withFormulas(text: string): string {
  return text.replace(EITHER, (whole, ...rest) => {
    const { inline, block } = rest.at(-1) as Record<string, string | undefined>;
    if (inline !== undefined) {
      return `\\\\(${inline}\\\\)`;
    }
    return block === undefined ? whole : `\\\\[${block}\\\\]`;
  });
}
