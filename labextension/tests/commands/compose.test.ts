import { describe, expect, it } from 'vitest';

import { commentAt } from '../../src/commands/comment';
import { compose, type IComposed, type ICellView } from '../../src/commands/compose';
import type { NotebookCell } from '../../src/contract';

const CELL: ICellView = {
  source: '# double a number\nx = 1',
  anchor: 0,
  head: 0,
  language: 'python',
  outputs: [],
  above: [{ kind: 'code', source: 'import os' }]
};

const ERROR = {
  output_type: 'error',
  ename: 'NameError',
  evalue: "name 'y' is not defined",
  traceback: ['\u001b[31mNameError\u001b[39m', "\u001b[1;32mname 'y'\u001b[0m is not defined"]
};

function composed(...[command, cell, more]: Parameters<typeof compose>): IComposed {
  const made = compose(command, cell, more);
  if (typeof made === 'string') {
    throw new Error(made);
  }
  return made;
}

describe('a request', () => {
  it('carries the code, the cells above and what the person added', () => {
    const { request } = composed('improve', CELL, ['keep the comments', 'use numpy']);
    expect(request.code).toBe(CELL.source);
    expect(request.context).toEqual(CELL.above);
    expect(request.instruction).toBe('keep the comments\nuse numpy');
  });

  it('names the cell magic where the code is a part of what is below it', () => {
    const source = '%%bash\nls\npwd';
    const cell = { ...CELL, source };
    expect(composed('improve', cell, []).request.cell_magic).toBeUndefined();
    const part = composed('improve', { ...cell, anchor: 7, head: 9 }, []);
    expect([part.request.code, part.request.cell_magic]).toEqual(['ls', '%%bash']);
    expect(part.apply('ls -l', true)).toBe('%%bash\nls -l\npwd');
    const fresh = composed('generate', { ...CELL, source: '%%bash\n# list the files' }, []);
    expect(fresh.request.cell_magic).toBe('%%bash');
  });

  it('carries what follows the code, and what the kernel knows, for a change', () => {
    const below: NotebookCell[] = [
      { kind: 'markdown', source: 'text' },
      { kind: 'code', source: 'print(x)' },
      { kind: 'code', source: 'y'.repeat(300_000) }
    ];
    const variables = [{ name: 'df', type: 'DataFrame' }];
    const cell = { ...CELL, source: 'a = 1\nb = a', anchor: 0, head: 0, below, variables };
    const { request } = composed('improve', cell, []);
    expect(request.below).toEqual([below[1]]);
    expect(request.variables).toEqual(variables);
    const part = composed('improve', { ...cell, anchor: 0, head: 3 }, []).request;
    expect(part.code).toBe('a = 1');
    expect(part.below?.map(({ source }) => source)).toEqual(['\nb = a', 'print(x)']);
    expect(composed('explain', cell, []).request.below).toBeUndefined();
  });

  it('carries the error without its colours', () => {
    const { request } = composed('fix', { ...CELL, outputs: [ERROR] }, []);
    expect(request.error).toBe("NameError\nname 'y' is not defined");
  });

  it('is not made where there is nothing to do', () => {
    expect(compose('explain', { ...CELL, source: ' \n' }, [])).toBe('no-code');
    expect(compose('fix', CELL, [])).toBe('no-error');
    expect(compose('generate', { ...CELL, source: 'x = 1' }, [])).toBe('no-comment');
  });

  it('takes the nearest cells above that fit', () => {
    const cell = (source: string): NotebookCell => ({ kind: 'code', source });
    const above = [cell('a'), cell('b'.repeat(8000)), cell('  '), cell('c')];
    expect(composed('explain', { ...CELL, above }, []).request.context).toEqual([cell('c')]);
    expect(composed('explain', { ...CELL, above: above.slice(0, 2) }, []).request.context).toEqual([
      cell('b'.repeat(8000))
    ]);
  });

  it('describes what to generate, and puts it below the comment', () => {
    const made = composed('generate', CELL, []);
    const { request } = made;
    expect(request.instruction).toBe('double a number');
    expect(request.code).toBe('');
    expect(made.apply('x = x * 2', true)).toBe('# double a number\nx = x * 2\nx = 1');
    expect(made.apply('', false)).toBe(CELL.source);
  });
});

describe('the comment', () => {
  const source = '# first\nx = 1\n# second\n# goes on\ny = 2';

  it('is the block at the cursor, or before it, or the first', () => {
    expect(commentAt(source, source.length, 'python')?.text).toBe('second\ngoes on');
    expect(commentAt(source, source.indexOf('x ='), 'python')?.text).toBe('first');
    expect(commentAt('x\n# later', 0, 'python')?.text).toBe('later');
  });

  it('has the marks of the language', () => {
    expect(commentAt('// add\nlet x', 0, 'javascript')?.text).toBe('add');
    expect(commentAt('# add\nlet x', 0, 'javascript')).toBeNull();
  });
});

describe('the error of a cell', () => {
  const failed: ICellView = { ...CELL, outputs: [ERROR], isAboutError: true };

  it('is explained with its traceback', () => {
    const { request } = composed('explain', failed, ['briefly']);
    expect(request.error).toContain("name 'y' is not defined");
    expect(request.instruction).toMatch(/^Explain the error: .*\nbriefly$/);
    // Without the button, explaining is about the code.
    const other = composed('explain', { ...failed, isAboutError: false }, []).request;
    expect([other.error, other.instruction]).toEqual(['', '']);
  });

  it('is not explained where there is none', () => {
    expect(compose('explain', { ...failed, outputs: [] }, [])).toBe('no-error');
  });

  it('brings the cells that the traceback goes through nearest', () => {
    const above: NotebookCell[] = [
      { kind: 'code', source: 'def f(): return y', execution_count: 2 },
      { kind: 'code', source: 'z = 1', execution_count: 3 },
      { kind: 'markdown', source: 'text' }
    ];
    const traceback = ['Cell In[7], line 1', 'File Cell In[2], line 1, in f()'];
    const outputs = [{ ...ERROR, traceback }];
    const { request } = composed('fix', { ...failed, outputs, above }, []);
    expect(request.context?.map(({ source }) => source)).toEqual([
      'z = 1',
      'text',
      'def f(): return y'
    ]);
    const plain = composed('fix', { ...failed, above }, []).request;
    expect(plain.context?.map(({ source }) => source)).toEqual([
      'def f(): return y',
      'z = 1',
      'text'
    ]);
  });
});
