/**
 * Fenced code blocks of a Markdown text (CommonMark 0.31, section 4.5), also of one that still comes. Pure.
 *
 * The rules are those of the Python package (`fences.py`, `answers.py`), so that a magic and a command
 * take the same code out of the same answer: a fence counts at any indentation, and the last may be open.
 */

const OPEN = /^([ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(`{3,}(?=[^`]*$)|~{3,})(.*)$/;

const SAME_LANGUAGE: Record<string, readonly string[]> = {
  python: ['', 'python', 'python3', 'py', 'ipython', 'ipython3']
};

export interface IFence {
  /** What stands behind the opening fence, such as `python`. */
  info: string;
  text: string;
  isClosed: boolean;
}

/** Code of an answer, to be put into a notebook. */
export interface ICodeBlock {
  code: string;
  /** The language that its fence names; empty where it names none. */
  info: string;
}

/** The fenced blocks of a text, in order. */
export function fences(text: string): IFence[] {
  const found: IFence[] = [];
  const lines = text.split('\n');
  let at = 0;
  while (at < lines.length) {
    const opening = OPEN.exec(lines[at++] ?? '');
    if (!opening) {
      continue;
    }
    const [, lead = '', mark = '', info = ''] = opening;
    const closing = new RegExp(`^[ \\t]*${mark.charAt(0)}{${mark.length},}[ \\t]*$`);
    const inside: string[] = [];
    let isClosed = false;
    while (at < lines.length && !isClosed) {
      const line = lines[at++] ?? '';
      isClosed = closing.test(line);
      if (!isClosed) {
        inside.push(dedented(line, lead.length));
      }
    }
    found.push({ info: info.trim(), text: inside.join('\n'), isClosed });
  }
  return found;
}

/**
 * The code in an answer, without a line end behind it: the longest block in the language, else the
 * longest of any. An answer without fences is taken as code, whole.
 */
export function codeOf(answer: string, language: string): string {
  return blockOf(answer, language).code;
}

/** The same, and the language that its fence names. */
export function blockOf(answer: string, language: string): ICodeBlock {
  const found = fences(answer);
  const { text, info } = found.length === 0 ? { text: answer, info: '' } : longest(found, language);
  return { code: trimmed(text), info: info.split(' ')[0] ?? '' };
}

/**
 * The code in an answer that still comes. Prose before the first fence is none, and a last line
 * that may yet become the closing fence is held back.
 */
export function codeSoFar(answer: string, language: string): string {
  const whole = answer.slice(0, answer.lastIndexOf('\n') + 1);
  const found = fences(whole);
  return found.length === 0 ? '' : trimmed(longest(found, language).text);
}

/** Code as a block that nothing inside of it can end. */
export function fenced(code: string, info = ''): string {
  const runs = code.match(/`+/g) ?? [];
  const mark = '`'.repeat(Math.max(3, ...runs.map(run => run.length + 1)));
  return `${mark}${info}\n${code}\n${mark}`;
}

function longest(found: IFence[], language: string): IFence {
  const names = SAME_LANGUAGE[language] ?? ['', language];
  const fitting = found.filter(fence =>
    names.includes((fence.info.split(' ')[0] ?? '').toLowerCase())
  );
  return (fitting.length > 0 ? fitting : found).reduce((best, one) =>
    one.text.length > best.text.length ? one : best
  );
}

function dedented(line: string, indent: number): string {
  const blank = line.length - line.trimStart().length;
  return line.slice(Math.min(indent, blank));
}

function trimmed(code: string): string {
  return code.replace(/^\n+/, '').trimEnd();
}
