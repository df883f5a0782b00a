/** The comment that says what code to write. Pure. */

const MARKS: Record<string, string> = {
  c: '//',
  'c++': '//',
  java: '//',
  javascript: '//',
  rust: '//',
  scala: '//',
  typescript: '//',
  haskell: '--',
  lua: '--',
  sql: '--'
};

export interface IComment {
  /** The words, without the marks. */
  text: string;
  /** Offset of the end of its last line. */
  end: number;
}

/**
 * The comment to write code for: the block of comment lines at the cursor, else the last one before
 * it, else the first of the cell; null where there is none.
 */
export function commentAt(source: string, cursor: number, language: string): IComment | null {
  const mark = MARKS[language] ?? '#';
  const blocks: (IComment & { start: number })[] = [];
  let offset = 0;
  let isOpen = false;
  for (const line of source.split('\n')) {
    const end = offset + line.length;
    const isComment = line.trimStart().startsWith(mark);
    const words = isComment ? wordsOf(line, mark) : '';
    const block = blocks.at(-1);
    if (isComment && isOpen && block) {
      block.text = `${block.text}\n${words}`;
      block.end = end;
    } else if (isComment) {
      blocks.push({ start: offset, end, text: words });
    }
    isOpen = isComment;
    offset = end + 1;
  }
  const spoken = blocks.filter(block => block.text.trim() !== '');
  const found = spoken.filter(block => block.start <= cursor).at(-1) ?? spoken[0];
  return found ? { text: found.text.trim(), end: found.end } : null;
}

function wordsOf(line: string, mark: string): string {
  let words = line.trimStart();
  while (words.startsWith(mark)) {
    words = words.slice(mark.length);
  }
  return words.trim();
}
