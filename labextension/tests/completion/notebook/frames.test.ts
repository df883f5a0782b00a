import type { ICellModel } from '@jupyterlab/cells';
import { describe, expect, it } from 'vitest';

import { headOf } from '../../../src/completion/notebook/frames';
import { CellMirror } from '../../../src/completion/notebook/mirror';
import type { IOutputView } from '../../../src/completion/notebook/outcome';

const shown = (plain: unknown, html = '', type = 'execute_result'): IOutputView => ({
  type,
  data: { 'text/plain': plain, ...(html ? { 'text/html': html } : {}) },
  toJSON: () => ({})
});
const table = (rows: number) =>
  `<div>\n<style scoped>.dataframe tbody {}</style>\n<table border="1" class="dataframe">\n  <thead>\n` +
  '    <tr style="text-align: right;">\n      <th></th>\n    </tr>\n'.repeat(rows) +
  '  </thead>\n  <tbody>\n    <tr>\n    </tr>\n  </tbody>\n</table>\n</div>';
const of = (plain: unknown, html = '') => headOf([shown(plain, html)]).split('\n');

// As pandas 3.1, polars 2.1 and pyarrow 26.0 print them.
const PANDAS = `   longitude  latitude      ocean
0    -122.23     37.88   NEAR BAY
1    -122.22     37.86   NEAR BAY
2    -122.24     37.85     INLAND
3    -122.25     37.85     INLAND
..       ...       ...        ...

[20640 rows x 3 columns]`;
const INDEXED = `               price_eur      
                     min   max
name                          
Anna Katharina      1.50  1.50
Bob                 2.25  2.25`;
const WIDE = `   longitude  latitude  \\
0    -122.23     37.88   
1    -122.22     37.86   

   population  
0         322  
1        2401  `;
const POLARS = `shape: (1_000, 3)
┌──────┬───────┬─────────────────────────────────┐
│ name ┆ price ┆ t                               │
│ ---  ┆ ---   ┆ ---                             │
│ str  ┆ f64   ┆ str                             │
╞══════╪═══════╪═════════════════════════════════╡
│ Anna ┆ 1.5   ┆ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… │
│ Bob  ┆ 1.5   ┆ y                               │
│ null ┆ 1.5   ┆ z                               │
│ D    ┆ 1.5   ┆ secret                          │
│ …    ┆ …     ┆ …                               │
└──────┴───────┴─────────────────────────────────┘`;
const SERIES = `shape: (3,)
Series: 'name' [str]
[
	"Anna"
	"Bob"
]`;
const ARROW = `pyarrow.Table
n: int64
s: string
l: list<item: int64>
  child 0, item: int64
d: struct<a: int64>
  child 0, a: int64
----
n: [[0,1],[2,3,4]]
s: [["a, "b" ]","c","d","e",...,"y","z"]]
l: [[[1,2],[3,4],...,[1,2],[1,2]]]
d: [
  -- is_valid: all not null
  -- child 0 type: int64
[1,1,1,1,1,...,1,1,1,1,1]]`;
const BATCH = `pyarrow.RecordBatch
n: int64
l: list<item: int64>
  child 0, item: int64
----
n: [0,1,2,3,4]
l: [[1,2],[3,4]]`;

describe('the head of a data frame', () => {
  it('of pandas is its columns and three rows', () => {
    expect(of(PANDAS, table(1))).toEqual([
      '  longitude  latitude  ocean',
      '0  -122.23  37.88  NEAR BAY',
      '1  -122.22  37.86  NEAR BAY',
      '2  -122.24  37.85  INLAND'
    ]);
  });

  it('of pandas is known without HTML by the size at its end', () => {
    expect(of(PANDAS)).toHaveLength(4);
    expect(of(PANDAS.split('\n').slice(0, 5).join('\n'))).toEqual(['']);
  });

  it('of pandas has all lines of names, and three rows below them', () => {
    expect(of(INDEXED, table(3))).toEqual([
      '  price_eur',
      '  min  max',
      'name',
      'Anna Katharina  1.50  1.50',
      'Bob  2.25  2.25'
    ]);
  });

  it('of a wide frame of pandas is its first columns', () => {
    expect(of(WIDE, table(1))).toEqual([
      '  longitude  latitude',
      '0  -122.23  37.88',
      '1  -122.22  37.86'
    ]);
  });

  it('ends where rows are left out', () => {
    expect(of('    a\n0   0\n..  .\n99  9\n\n[100 rows x 1 columns]')).toEqual(['  a', '0  0']);
  });

  it('of polars is its size, names, types and three rows', () => {
    expect(of(POLARS, table(2))).toEqual([
      'shape: (1_000, 3)',
      'name | price | t',
      'str | f64 | str',
      'Anna | 1.5 | xxxxxxxxxxxxxxxxxxxxxxxxxxxxx…',
      'Bob | 1.5 | y',
      'null | 1.5 | z'
    ]);
  });

  it('of pyarrow is its schema, with three values of each column', () => {
    expect(of(ARROW)).toEqual([
      'pyarrow.Table',
      'n: int64 [0, 1]',
      's: string ["a, "b" ]", "c", "d"]',
      'l: list<item: int64> [[1,2], [3,4]]',
      'd: struct<a: int64>'
    ]);
    expect(of(BATCH)).toEqual([
      'pyarrow.RecordBatch',
      'n: int64 [0, 1, 2]',
      'l: list<item: int64> [[1,2], [3,4]]'
    ]);
  });

  it.each([
    ['a series of polars', SERIES, table(2)],
    ['a series of pandas', '0    Anna\n1     Bob\nName: name, dtype: str', ''],
    [
      'a styled frame',
      '<pandas.io.formats.style.Styler at 0x7f>',
      '<table id="T_4"><thead></thead></table>'
    ],
    ['HTML that was shown by hand', '<IPython.core.display.HTML object>', table(1)],
    ['a text', "'a secret'", ''],
    ['a text of several lines', 'shape: nothing\nsecret', ''],
    ['an array', 'array([[1, 2],\n       [3, 4]])', ''],
    ['a lazy frame', '<LazyFrame at 0x7F>', '<i>naive plan</i>'],
    ['no text', undefined, table(1)]
  ])('of %s is nothing', (_, plain, html) => {
    expect(headOf([shown(plain, html)])).toBe('');
  });

  it('is that of the last one, and none where the cell failed', () => {
    const other = shown('   b\n0  2', table(1), 'display_data');
    expect(headOf([shown(PANDAS, table(1)), other, shown("'text'")])).toBe('  b\n0  2');
    expect(headOf([other, shown('', '', 'error')])).toBe('');
    expect(headOf([shown('   b\n0  2', table(1), 'stream')])).toBe('');
  });

  it('is read from a list of lines as well', () => {
    expect(of(['   b\n', '0  2'], table(1))).toEqual(['  b', '0  2']);
  });

  it('cuts long values and long lines between characters, and is never too long', () => {
    const [, row] = of(`   a  b\n0  ${'😀'.repeat(40)}  1`, table(1));
    expect(row).toBe(`0  ${'😀'.repeat(29)}…  1`);
    const many = Array.from({ length: 30 }, (_, index) => `value ${index}`).join('  ');
    const head = headOf([shown(Array.from({ length: 9 }, () => many).join('\n'), table(4))]);
    expect(head.length).toBeLessThanOrEqual(400);
    expect(head.split('\n').every(line => Array.from(line).length <= 100)).toBe(true);
    expect(head.split('\n')).toHaveLength(3);
  });
});

describe('the cells that go along', () => {
  function cell(source: string, outputs: IOutputView[]): ICellModel {
    const signal = { connect: () => true };
    return {
      id: source,
      type: 'code',
      isDisposed: false,
      executionCount: 1,
      sharedModel: { getSource: () => source },
      outputs: { length: outputs.length, get: (index: number) => outputs[index] },
      contentChanged: signal,
      stateChanged: signal
    } as unknown as ICellModel;
  }
  const models = [cell('df', [shown(PANDAS, table(1))]), cell('x', []), cell('x = ', [])];

  it('take nothing of an output along but its type, until somebody switches it on', () => {
    const mirror = new CellMirror(() => 0);
    const before = mirror.read(models, 2, 1);
    expect(JSON.stringify(before)).not.toMatch(/122|head/);
    expect(before.cells[0]?.hint).toBe('DataFrame');
    mirror.setHeads(true);
    const [frame, other] = mirror.read(models, 2, 1).cells;
    expect(frame?.head).toContain('-122.23');
    expect(frame?.hint).toBe('DataFrame');
    expect(other?.head).toBe('');
    mirror.setHeads(false);
    expect(mirror.read(models, 2, 1)).toEqual(before);
  });

  it('take none along that is from an earlier session', () => {
    const mirror = new CellMirror(() => 0);
    mirror.setHeads(true);
    expect(JSON.stringify(mirror.read(models, 2, 0))).not.toContain('122');
  });
});
