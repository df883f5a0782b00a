import { describe, expect, it } from 'vitest';

import { cellOf } from '../../src/history/cell';

const ANSWER = 'Here:\n\n```bash\nls -l\n```\n';

describe('a cell of an answer', () => {
  it('is its code, or its text', () => {
    const one = {
      command: 'improve',
      prompt: '```python\nx\n```',
      content: '```python\nx = 1\n```'
    };
    expect(cellOf(one, 'python')).toEqual({ kind: 'code', source: 'x = 1' });
    expect(cellOf({ ...one, content: 'No.' }, 'python').kind).toBe('markdown');
    expect(cellOf({ ...one, command: 'explain' }, 'python').kind).toBe('markdown');
  });

  it('keeps the cell magic of the code that was changed', () => {
    const one = { command: 'fix', prompt: 'be brief\n\n```bash\n%%bash\nls\n```', content: ANSWER };
    expect(cellOf(one, 'python').source).toBe('%%bash\nls -l');
    const again = { ...one, content: '```bash\n%%bash\nls -l\n```' };
    expect(cellOf(again, 'python').source).toBe('%%bash\nls -l');
  });

  it('has no magic where new code was asked for', () => {
    const one = { command: 'test', prompt: '```bash\n%%bash\nls\n```', content: ANSWER };
    expect(cellOf(one, 'python').source).toBe('ls -l');
  });
});
