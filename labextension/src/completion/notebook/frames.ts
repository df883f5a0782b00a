/**
 * The first lines of a data frame that a cell has shown: its columns and a few rows. Pure.
 *
 * Only what is surely a data frame of pandas, polars or pyarrow is read: a table that pandas has drawn, or a text
 * that begins or ends as theirs do. Of everything else that a cell shows, nothing is.
 */

import { FIELDS } from '../../contract';
import type { IOutputView } from './outcome';

const ROWS = 3;
const HEAD_CHARS = FIELDS.NotebookCell.head.maxLength;
const LINE_CHARS = 100;
const VALUE_CHARS = 30;
/** More lines than this are no names of columns. */
const MOST_HEADER_LINES = 4;
const READ_CHARS = 20_000;

/** The head of the last data frame among the outputs of a cell; empty where there is none, or it failed. */
export function headOf(outputs: Iterable<IOutputView>): string {
  let head = '';
  for (const { type, data } of outputs) {
    if (type === 'error') {
      return '';
    }
    if (type === 'execute_result' || type === 'display_data') {
      head = frameHead(data) || head;
    }
  }
  return head;
}

function frameHead(data: Readonly<Record<string, unknown>>): string {
  const plain = text(data['text/plain']);
  const lines =
    polars(plain) ??
    arrow(plain) ??
    pandas(plain, text(data['text/html']).slice(0, READ_CHARS)) ??
    [];
  const kept: string[] = [];
  let left = HEAD_CHARS;
  for (const line of lines) {
    const short = cut(line, LINE_CHARS);
    if (short.length >= left) {
      break;
    }
    kept.push(short);
    left -= short.length + 1;
  }
  return kept.join('\n');
}

/** Columns stand under their names, two spaces apart; wide frames go on further below, after an empty line. */
function pandas(plain: string, html: string): string[] | null {
  const table = html.search(/<table[^>]*class="[^"]*\bdataframe\b/);
  const saysSize = /\n\n\[\d+ rows x \d+ columns\]\s*$/.test(plain.slice(-100));
  if (plain.startsWith('<') || !plain.includes('\n') || (table < 0 && !saysSize)) {
    return null;
  }
  const head = table < 0 ? '' : html.slice(table).split('</thead>')[0];
  const names = Math.min(Math.max(1, (head?.match(/<tr\b/g) ?? []).length), MOST_HEADER_LINES);
  const lines: string[] = [];
  for (const line of plain.slice(0, READ_CHARS).split('\n', names + ROWS)) {
    if (line.trim() === '' || /^\s*\.\.[.\s]*$/.test(line)) {
      break;
    }
    const values = line.replace(/\s*\\?\s*$/, '').split(/ {2,}/);
    lines.push(values.map(value => cut(value, VALUE_CHARS)).join('  '));
  }
  return lines;
}

/** A size, then a table of lines: names, types, a rule, rows. An empty list for a series. */
function polars(plain: string): string[] | null {
  const [size = '', ...lines] = plain.slice(0, READ_CHARS).split('\n');
  if (!/^shape: \([\d_,.]+,( [\d_,.]+)?\)$/.test(size)) {
    return null;
  }
  const kept: string[] = [];
  let rows = -1;
  for (const line of lines) {
    if (/^(?:╞|\+=|\|-)/.test(line)) {
      rows = 0;
    }
    const isLine = /^[│|]/.test(line);
    const values = isLine ? line.split(/[│┆|]/).slice(1, -1) : [];
    if (!isLine || values.every(value => /^[\s:-]*$/.test(value))) {
      continue;
    }
    if (rows >= ROWS || values.every(value => /^(?:…|\.\.\.)?$/.test(value.trim()))) {
      break;
    }
    kept.push(values.map(value => cut(value.trim(), VALUE_CHARS)).join(' | '));
    rows += rows < 0 ? 0 : 1;
    if (rows < 0 && kept.length >= MOST_HEADER_LINES) {
      break;
    }
  }
  return kept.length > 0 ? [size, ...kept] : [];
}

/** The schema, a rule, then a line for each column with its values. */
function arrow(plain: string): string[] | null {
  if (!/^pyarrow\.(?:Table|RecordBatch)\n/.test(plain)) {
    return null;
  }
  const [kind = '', ...lines] = plain.slice(0, READ_CHARS).split('\n');
  const rule = lines.indexOf('----');
  const schema = rule < 0 ? lines : lines.slice(0, rule);
  const columns = schema.filter(line => /^\S.*: /.test(line));
  const values = rule < 0 ? [] : lines.slice(rule + 1);
  // A table has its columns in pieces, each in brackets of its own.
  const opening = kind.endsWith('Table') ? '[[' : '[';
  return [
    kind,
    ...columns.map(column => {
      const name = column.slice(0, column.indexOf(': ') + 2);
      const line = values.find(one => one.startsWith(name + opening));
      const first = line ? firstValues(line.slice(name.length + opening.length)) : [];
      return [column, ...(first.length > 0 ? [`[${first.join(', ')}]`] : [])].join(' ');
    })
  ];
}

/** The first values of a list, where lists and quoted commas may stand within. */
function firstValues(list: string): string[] {
  const values: string[] = [];
  let value = '';
  let depth = 0;
  let isQuoted = false;
  for (const character of list) {
    isQuoted = isQuoted !== (character === '"');
    if (!isQuoted && depth === 0 && /[,\]]/.test(character)) {
      if (value === '...') {
        break;
      }
      values.push(cut(value, VALUE_CHARS));
      value = '';
      if (character === ']' || values.length === ROWS) {
        break;
      }
      continue;
    }
    if (!isQuoted) {
      depth += character === '[' ? 1 : character === ']' ? -1 : 0;
    }
    value += character;
  }
  return values;
}

/** Cut between characters, never within one. */
function cut(line: string, most: number): string {
  const characters = Array.from(line);
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : line;
}

/** A text of a bundle, where Jupyter allows a list of lines as well. */
function text(value: unknown): string {
  const all: unknown = Array.isArray(value) ? value.join('') : value;
  return typeof all === 'string' ? all : '';
}
