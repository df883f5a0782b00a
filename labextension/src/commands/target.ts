/** What part of a cell a command works on, and the cell with new code in that place. Pure. */

/** Whole lines of a cell; offsets count UTF-16 units, as CodeMirror does. */
export interface ITarget {
  from: number;
  to: number;
  code: string;
}

/** The lines that a selection touches; without one, or with nothing but blanks in it, the cell. */
export function targetOf(source: string, anchor: number, head: number): ITarget {
  const [start, end] = [Math.min(anchor, head), Math.max(anchor, head)];
  if (source.slice(start, end).trim() === '') {
    return { from: 0, to: source.length, code: source };
  }
  const from = source.lastIndexOf('\n', start - 1) + 1;
  // A selection that ends before the first character of a line does not mean that line.
  const last = source.charAt(end - 1) === '\n' ? end - 1 : end;
  const next = source.indexOf('\n', last);
  const to = next < 0 ? source.length : next;
  return { from, to, code: source.slice(from, to) };
}

/**
 * The cell with new code in the place of the target.
 *
 * Blank lines at the target's ends stay. Models answer an indented piece at the left margin:
 * it is indented again as far as the target was.
 */
export function replaced(source: string, target: ITarget, code: string): string {
  const head = /^(?:[ \t]*\n)*/.exec(target.code)?.[0] ?? '';
  const tail = /\s*$/.exec(target.code.slice(head.length))?.[0] ?? '';
  const missing = indentOf(target.code).slice(indentOf(code).length);
  return (
    source.slice(0, target.from) + head + indented(code, missing) + tail + source.slice(target.to)
  );
}

/** The cell with new code on the lines below a place, as far indented as the line of the place. */
export function insertedBelow(source: string, at: number, code: string): string {
  const line = source.slice(source.lastIndexOf('\n', at - 1) + 1, at);
  const indent = /^[ \t]*/.exec(line)?.[0] ?? '';
  return source.slice(0, at) + '\n' + indented(code, indent) + source.slice(at);
}

/**
 * What the target becomes while its new code still comes: the new lines, and behind them what
 * remains of the old ones after the last that came back unchanged.
 */
export function growing(before: string, soFar: string): string {
  if (soFar === '') {
    return before;
  }
  const old = before.split('\n');
  const fresh = soFar.split('\n');
  // Magics at the top are not asked about, and stay; blank lines before them are not part of it.
  const code = Math.max(
    0,
    old.findIndex(line => !/^\s*([%!]|$)/.test(line))
  );
  const first = old.findIndex(line => line.trim() !== '');
  const head = old.slice(Math.max(0, first), code);
  let rest = head.length > 0 ? code : 0;
  for (const line of fresh) {
    const found = line.trim() === '' ? -1 : old.indexOf(line, rest);
    rest = found < 0 ? rest : found + 1;
  }
  return [...(fresh[0] === head[0] ? [] : head), ...fresh, ...old.slice(rest)].join('\n');
}

/** The lines of cell magics at the top of a cell. */
export function cellMagicOf(source: string): string {
  return /^\s*(?:%%[^\n]*(?:\n\s*|$))*/.exec(source)?.[0].trim() ?? '';
}

/**
 * Whether a cell was split: its end has stayed, and what stood before stands in the cell above.
 * JupyterLab takes the blank lines away at both sides of the cut.
 */
export function isSplit(before: string, above: string, after: string): boolean {
  const whole = before.replace(/\n+$/, '');
  const start = whole.slice(0, whole.length - after.length).replace(/\n+$/, '');
  return above !== '' && whole.endsWith(after) && start.endsWith(above);
}

/** The white space with which every line that is not blank begins. */
function indentOf(code: string): string {
  const indents = code
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => /^[ \t]*/.exec(line)?.[0] ?? '');
  return indents.reduce(
    (least, one) => (one.length < least.length ? one : least),
    indents[0] ?? ''
  );
}

function indented(code: string, indent: string): string {
  return code
    .split('\n')
    .map(line => (line === '' ? line : indent + line))
    .join('\n');
}
