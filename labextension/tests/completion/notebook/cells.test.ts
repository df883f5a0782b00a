import { describe, expect, it } from 'vitest';

import {
  type IText,
  PREFIX_CHARS,
  SUFFIX_CHARS,
  textAfter,
  textBefore
} from '../../../src/completion/editor/window';
import { readVariables } from '../../../src/completion/kernel/variables';
import { chooseCells, defines, nextCode, outwards } from '../../../src/completion/notebook/cells';
import { type IOutputView, outcome } from '../../../src/completion/notebook/outcome';

describe('the cells that go along', () => {
  const cell = (length: number, defines = false) => ({ length, defines });

  it('are all of them where there is room', () => {
    expect(chooseCells([cell(10), cell(10), cell(10)], 1, 1000)).toEqual([0, 1, 2]);
  });

  it('are the nearest, then those that define, then others', () => {
    const cells = Array.from({ length: 20 }, (_, index) => cell(10, index === 1 || index === 18));
    // Room for 10: five neighbours, the two that define, and three more neighbours.
    expect(chooseCells(cells, 10, 100)).toEqual([1, 6, 7, 8, 9, 10, 11, 12, 13, 14, 18]);
  });

  it('do not depend on the size of the active cell', () => {
    const cells = [cell(10), cell(10), cell(10_000), cell(10)];
    expect(chooseCells(cells, 2, 40)).toEqual([0, 1, 2, 3]);
  });

  it('leave out one that is too large to be of use, and those that are not read yet', () => {
    expect(chooseCells([cell(60), null, cell(10)], 2, 100)).toEqual([2]);
    expect(chooseCells([cell(60), cell(20), cell(10)], 2, 100)).toEqual([1, 2]);
  });

  it('are found without an active cell', () => {
    expect(chooseCells([cell(10), cell(10), cell(10)], -1, 44)).toEqual([0, 1, 2]);
    expect(chooseCells([], -1)).toEqual([]);
  });

  it('come outwards from the active one, the one above first', () => {
    expect(outwards(6, 2)).toEqual([1, 3, 0, 4, 5]);
    expect(outwards(3, -1)).toEqual([2, 1, 0]);
    expect(outwards(1, 0)).toEqual([]);
  });

  it('are chosen from thousands in a few looks at each', () => {
    let looks = 0;
    const cells = Array.from({ length: 2000 }, (_, index) => ({
      get length(): number {
        looks++;
        return 500;
      },
      get defines(): boolean {
        looks++;
        return index % 9 === 0;
      }
    }));
    expect(chooseCells(cells, 1001).length).toBe(601);
    expect(looks).toBeLessThan(10 * cells.length);
  });

  it.each([
    ['import os', true],
    ['x = 1\nfrom a import b', true],
    ['@njit\ndef f(): pass', true],
    ['library(dplyr)', true],
    ['x = "import os"', false],
    ['    import os', false],
    ['important = 1', false]
  ])('%j defines: %s', (source, is) => {
    expect(defines(source)).toBe(is);
  });
});

describe('the outcome of a run', () => {
  const shown = (data: Record<string, unknown>, type = 'execute_result'): IOutputView => ({
    type,
    data,
    toJSON: () => ({})
  });
  const failed = (ename: unknown): IOutputView => ({
    type: 'error',
    data: {},
    toJSON: () => ({ output_type: 'error', ename, evalue: 'secret', traceback: [] })
  });

  it('names the exception, and nothing of its message', () => {
    expect(outcome([failed('KeyError')])).toEqual({ error: 'KeyError', hint: '' });
    expect(outcome([failed(undefined)])).toEqual({ error: 'Error', hint: '' });
  });

  it.each([
    [{ 'text/html': '<table border="1" class="dataframe">', 'text/plain': ' a\n0 1' }, 'DataFrame'],
    [{ 'image/png': 'iVBOR', 'text/plain': '<Figure size 640x480 with 1 Axes>' }, 'Figure'],
    [{ 'image/png': 'iVBOR' }, 'figure'],
    [{ 'text/plain': 'array([1, 2])' }, 'array'],
    [{ 'text/plain': ['LinearRegression()\n', ''] }, 'LinearRegression'],
    [{ 'text/plain': '<sklearn.x.Model object at 0x7f00>' }, 'Model'],
    [{ 'application/vnd.plotly.v1+json': {}, 'text/plain': '' }, 'plotly'],
    [{ 'text/plain': "'a secret'" }, ''],
    [{ 'text/plain': '4111' }, ''],
    [{}, '']
  ])('of %j is told as %j', (data, hint) => {
    expect(outcome([shown(data)])).toEqual({ error: '', hint });
  });

  it('of streams is nothing', () => {
    expect(outcome([shown({ 'text/plain': 'array([1])' }, 'stream')])).toEqual({
      error: '',
      hint: ''
    });
  });
});

describe('what a kernel tells', () => {
  const told = (text: string, status = 'ok') => ({
    status,
    data: { 'text/plain': `'${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}'` }
  });

  it('is a list of variables, names in any script', () => {
    const variables = [
      { name: 'größe', type: 'int' },
      { name: 'df', columns: [] }
    ];
    expect(readVariables(told(JSON.stringify(variables)))).toEqual(variables);
  });

  it('is cut at what the server takes', () => {
    const many = Array.from({ length: 1200 }, (_, index) => ({ name: `x${index}` }));
    expect(readVariables(told(JSON.stringify(many)))).toHaveLength(1000);
  });

  it('leaves out what is no variable', () => {
    expect(readVariables(told('[null, 7, {"name": 1}, {"name": "x"}]'))).toEqual([{ name: 'x' }]);
  });

  it.each([
    undefined,
    null,
    {},
    told('[]', 'error'),
    told('{'),
    told('{}'),
    { status: 'ok', data: {} },
    { status: 'ok', data: { 'text/plain': "'%%%'" } }
  ])('is nothing where it is %j', result => {
    expect(readVariables(result)).toBeNull();
  });
});

describe('the text around the cursor', () => {
  function text(source: string): IText {
    return {
      length: source.length,
      sliceString: (from, to) => source.slice(from, to),
      lineAt: position => ({
        from: source.lastIndexOf('\n', position - 1) + 1,
        to: (source.indexOf('\n', position) + source.length + 1) % (source.length + 1)
      })
    };
  }
  const LINE = 'x'.repeat(29) + '\n';
  const large = LINE.repeat(20_000);

  it('is whole where it is short', () => {
    expect(textBefore(text('a😀b\n日'), 3)).toBe('a😀');
    expect(textAfter(text('a😀b\n日'), 3)).toBe('b\n日');
  });

  it('begins and ends at a line', () => {
    const before = textBefore(text(large), 300_015);
    expect(before.length).toBeLessThanOrEqual(PREFIX_CHARS);
    expect(before.length).toBeGreaterThan(PREFIX_CHARS / 2);
    expect(before.startsWith(LINE)).toBe(true);
    const after = textAfter(text(large), 300_015);
    expect(after.length).toBeLessThanOrEqual(SUFFIX_CHARS);
    expect(after.length).toBeGreaterThan(SUFFIX_CHARS / 2);
    expect(after.endsWith(LINE)).toBe(true);
  });

  it('keeps its beginning while a person types', () => {
    const starts = new Set<number>();
    for (let position = 300_000; position < 300_100; position++) {
      starts.add(position - textBefore(text(large), position).length);
    }
    expect(starts.size).toBeLessThanOrEqual(2);
  });

  it('tears no character apart where there are no lines', () => {
    const endless = text('😀'.repeat(100_000));
    for (const position of [110_000, 110_002, 150_000]) {
      expect(textBefore(endless, position)).not.toMatch(/^[\udc00-\udfff]/);
      expect(textAfter(endless, position)).not.toMatch(/[\ud800-\udbff]$/);
    }
    const odd = text('x' + '😀'.repeat(100_000));
    expect(textBefore(odd, 110_001)).not.toMatch(/^[\udc00-\udfff]/);
    expect(textAfter(odd, 11_001)).not.toMatch(/[\ud800-\udbff]$/);
  });
});

describe('the code where a person goes on', () => {
  it.each([
    [['code', 'code'], 1, 1],
    [['markdown', 'raw', 'code', 'code'], 0, 2],
    [['code', 'code', 'markdown'], 2, 1],
    [['markdown', 'code'], -1, 1],
    [['markdown', 'raw'], 0, -1],
    [[], -1, -1]
  ])('of %j from cell %i on is cell %i', (types, active, expected) => {
    expect(nextCode(types, active)).toBe(expected);
  });
});
