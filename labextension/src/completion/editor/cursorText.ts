/** What the text around the cursor says about a suggestion there. Pure. */

import type { Lines } from '../options';

const BLANK = /^\s*$/;
const WORD_BEFORE = /[\p{L}\p{N}_]$/u;
const WORD_AFTER = /^[\p{L}\p{N}_]/u;
/** What opens a block or a list, goes on in the next line, or tells in words what is to come. */
const OPENS = /[:{([\\,]\s*$|^\s*(#|\/\/|--)/;

/** The line of the cursor, up to it. */
export function lineBefore(prefix: string): string {
  return prefix.slice(prefix.lastIndexOf('\n') + 1);
}

/** The line of the cursor, from it on. */
export function lineAfter(suffix: string): string {
  const end = suffix.indexOf('\n');
  return end < 0 ? suffix : suffix.slice(0, end);
}

/** Whether the line of the cursor is still empty. */
export function isNewLine(prefix: string, suffix: string): boolean {
  return BLANK.test(lineBefore(prefix)) && BLANK.test(lineAfter(suffix));
}

/** Whether to ask by itself here: not inside a word, and not before there is anything to go by. */
export function isWorthAsking(prefix: string, suffix: string, minimumPrefix: number): boolean {
  if (WORD_BEFORE.test(prefix) && WORD_AFTER.test(suffix)) {
    return false;
  }
  let found = 0;
  // Backwards: most cells have enough right before the cursor.
  for (let at = prefix.length - 1; at >= 0 && found < minimumPrefix; at--) {
    if (!BLANK.test(prefix.charAt(at))) {
      found++;
    }
  }
  return found >= minimumPrefix;
}

/**
 * Whether the suggestion may have more than one line.
 *
 * Never where code follows on the line. Else on an empty line, after what opens a block, after a comment, and
 * wherever the person asks for it (`onDemand`).
 */
export function isMultiline(
  prefix: string,
  suffix: string,
  lines: Lines,
  onDemand: boolean
): boolean {
  if (lines !== 'auto') {
    return lines === 'multiple';
  }
  if (!BLANK.test(lineAfter(suffix))) {
    return false;
  }
  const before = lineBefore(prefix);
  return onDemand || BLANK.test(before) || OPENS.test(before);
}
