/** `@` in the box of a question: what can be put beside it. Pure. */

import type { KernelVariable, ReferenceKind } from '../contract';

/** Most that is offered at once. */
const MOST = 12;

export interface IMention {
  /** Offset of the `@`. */
  from: number;
  /** What stands behind it, up to the cursor. */
  query: string;
}

/** The mention that is being typed at the cursor. A path may have blanks in it. */
export function mentionAt(text: string, cursor: number): IMention | null {
  const found = /(?:^|\s)@((?:file:[^\n@]*)|[^\s@]*)$/.exec(text.slice(0, cursor));
  const query = found?.[1];
  return query === undefined ? null : { from: cursor - query.length - 1, query };
}

export interface ISuggestion {
  kind: ReferenceKind;
  /** What is resolved: a path, a variable's name; empty for the cell and the selection. */
  name: string;
  /** The text behind the `@`. */
  label: string;
  detail: string;
  /** Choosing it goes on typing: a folder, or a kind of which there are several. */
  isOpen: boolean;
}

/** What of the page can be referred to now. */
export interface IOffers {
  /** Words for the current cell, such as `code cell 3`; empty where there is none. */
  cell: string;
  hasSelection: boolean;
  /** Words for the cell whose output, and whose error, can be referred to; empty where there is none. */
  output: string;
  error: string;
  variables: readonly KernelVariable[];
}

export interface IDetails {
  selection: string;
  file: string;
  variable: string;
}

export function suggestions(query: string, offers: IOffers, details: IDetails): ISuggestion[] {
  const fixed: ISuggestion[] = [
    ...(offers.cell === '' ? [] : [whole('cell', offers.cell)]),
    ...(offers.hasSelection ? [whole('selection', details.selection)] : []),
    ...(offers.output === '' ? [] : [whole('output', offers.output)]),
    ...(offers.error === '' ? [] : [whole('error', offers.error)]),
    { ...whole('file', details.file), label: 'file:', isOpen: true },
    ...(offers.variables.length === 0
      ? []
      : [{ ...whole('variable', details.variable), label: 'variable:', isOpen: true }])
  ];
  const [, wanted = null] = /^variable:(.*)$/.exec(query) ?? [];
  const variables = offers.variables
    .filter(({ name }) => (wanted === null ? query !== '' : true) && starts(name, wanted ?? query))
    .map(variable => ({
      ...whole('variable', variable.type ?? ''),
      name: variable.name,
      label: `variable:${variable.name}`
    }));
  return [
    ...fixed.filter(({ label }) => starts(label, query) && label !== query),
    ...variables
  ].slice(0, MOST);
}

/** The folder to list for `file:…`, and the beginning of the name in it; null for what is no file. */
export function pathOf(query: string): { folder: string; start: string } | null {
  const found = /^file:(.*)$/.exec(query);
  if (!found) {
    return null;
  }
  const path = found[1] ?? '';
  const cut = path.lastIndexOf('/') + 1;
  return { folder: path.slice(0, cut).replace(/\/$/, ''), start: path.slice(cut) };
}

export interface IFileEntry {
  path: string;
  isFolder: boolean;
}

export function fileSuggestions(start: string, entries: readonly IFileEntry[]): ISuggestion[] {
  return entries
    .filter(({ path }) => starts(path.slice(path.lastIndexOf('/') + 1), start))
    .sort((one, other) => Number(other.isFolder) - Number(one.isFolder))
    .slice(0, MOST)
    .map(({ path, isFolder }) => ({
      kind: 'file',
      name: path,
      label: `file:${path}${isFolder ? '/' : ''}`,
      detail: '',
      isOpen: isFolder
    }));
}

/** A mention that stands in a question as it is sent; the text of a file's goes on to the end of its line. */
const WRITTEN =
  /(?:^|\s)@(?:(cell|selection|output|error)(?![\w:/.]*[\w:/])|variable:(\w+)|file:([^\n@]*[^\s@]))/g;

/** What is named in a question by hand; the name of a file may be followed by other words. */
export function writtenMentions(text: string): Pick<ISuggestion, 'kind' | 'name'>[] {
  const found = [...text.matchAll(WRITTEN)].map(
    ([, whole, variable, file]): Pick<ISuggestion, 'kind' | 'name'> =>
      whole !== undefined
        ? { kind: whole as WholeKind, name: '' }
        : variable !== undefined
          ? { kind: 'variable', name: variable }
          : { kind: 'file', name: file ?? '' }
  );
  return found.filter(
    ({ kind, name }, index) =>
      found.findIndex(other => other.kind === kind && other.name === name) === index
  );
}

/** The file with which a text begins, the longest one where there are several; null: none of them. */
export function fileAt(text: string, entries: readonly IFileEntry[]): string | null {
  const paths = entries
    .filter(({ path, isFolder }) => !isFolder && text.startsWith(path))
    .filter(({ path }) => !/^(?:[\w/]|\.\w)/.test(text.slice(path.length)))
    .map(({ path }) => path);
  return paths.sort((one, other) => other.length - one.length)[0] ?? null;
}

/** What a kernel knows of a variable, as a model reads it. */
export function described(variable: KernelVariable): string {
  const { name, type, signature, shape, columns } = variable;
  const head = `${name}${signature ?? ''}: ${type ?? ''}`.replace(/: $/, '');
  const lines = [
    head + (shape && shape.length > 0 ? `, shape (${shape.join(', ')})` : ''),
    ...(columns ?? []).map(column => `  ${column.name}: ${column.dtype}`)
  ];
  return lines.join('\n');
}

/** Of these there is one at a time. */
type WholeKind = 'cell' | 'selection' | 'output' | 'error';

function whole(kind: WholeKind | 'file' | 'variable', detail: string): ISuggestion {
  return { kind, name: '', label: kind, detail, isOpen: false };
}

function starts(text: string, beginning: string): boolean {
  return text.toLowerCase().startsWith(beginning.toLowerCase());
}
