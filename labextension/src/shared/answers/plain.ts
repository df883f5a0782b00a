/** Text without what acts on a terminal, shows another order than it has, or cannot be seen. Pure. */

// The same rules as in `jupyter_localcoder/text/plain_text.py`; one list of examples tests both.
// The escape sequences of terminals, of which tracebacks are full.
// eslint-disable-next-line no-control-regex
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b\n]*(?:\u0007|\u001b\\))/g;
// Controls, marks of direction, zero width, invisible operators and letters; private tags beside the flags.
const NEVER =
  // eslint-disable-next-line no-control-regex, no-misleading-character-class
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e001f}\u{e0080}-\u{e00ff}]/gu;
// What writing needs behind some characters, and what hides elsewhere; and halves of pairs.
const AT_TIMES =
  // eslint-disable-next-line no-misleading-character-class
  /[\u200c\u200d\ufe00-\ufe0f\u{e0020}-\u{e007f}\u{e0100}-\u{e01ef}\ud800-\udfff]/u;
// Scripts whose letters join, and emoji.
const JOINS = /^[\p{L}\p{M}]$/u;
const EMOJI = /^[\p{So}\p{Sk}\ufe0f]$/u;
const FLAGS = ['gbeng\u007f', 'gbsct\u007f', 'gbwls\u007f'];
const BLACK_FLAG = '\u{1f3f4}';

/** The same text with its lines, tabs and words, and nothing that cannot be seen but acts. */
export function plain(text: string): string {
  const visible = text
    .replace(/\r\n?/g, '\n')
    .replace(ESCAPES, '')
    .replace(/[\u2028\u2029]/g, '\n')
    .replace(NEVER, '');
  return AT_TIMES.test(visible) ? inPlace(visible) : visible;
}

/** The text without what has no place behind the character before it. */
function inPlace(text: string): string {
  let before = '';
  let spelled = '';
  let out = '';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    let shown = char;
    if (code >= 0xd800 && code <= 0xdfff) {
      shown = '\ufffd';
    } else if (char === '\u200c' || char === '\u200d') {
      shown = joins(before) ? char : '';
    } else if (isSelector(code)) {
      const at = before.codePointAt(0) ?? 0;
      shown = at > 0x20 && !isSelector(at) ? char : '';
    } else if (isTag(code)) {
      if (before === BLACK_FLAG) {
        spelled = '';
      }
      const next = spelled + String.fromCodePoint(code - 0xe0000);
      const follows = before === BLACK_FLAG || isTag(before.codePointAt(0) ?? 0);
      shown = follows && FLAGS.some(flag => flag.startsWith(next)) ? char : '';
      spelled = shown && next;
    }
    before = shown || before;
    out += shown;
  }
  return out;
}

function joins(before: string): boolean {
  const code = before.codePointAt(0) ?? 0;
  if (JOINS.test(before) && before !== '\ufe0f') {
    return (
      (code >= 0x590 && code <= 0x1cff) ||
      (code >= 0xa800 && code <= 0xabff) ||
      (code >= 0x10a00 && code <= 0x11fff)
    );
  }
  return EMOJI.test(before) && code >= 0x2190;
}

function isSelector(code: number): boolean {
  return (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef);
}

function isTag(code: number): boolean {
  return code >= 0xe0020 && code <= 0xe007f;
}
