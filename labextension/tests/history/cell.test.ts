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
    expect(cellOf(one, 'python')).toEqual({
      kind: 'code',
      block: { code: 'x = 1', info: 'python' },
      before: 'x'
    });
    expect(cellOf({ ...one, content: 'No.' }, 'python')).toEqual({ kind: 'markdown', text: 'No.' });
    expect(cellOf({ ...one, command: 'explain' }, 'python').kind).toBe('markdown');
  });

  it('knows the code that was changed, between the words and the error', () => {
    const prompt =
      'be brief\n\n```bash\n%%bash\nls\n```\n\nIt failed with:\n```text\nno such file\n```';
    expect(cellOf({ command: 'fix', prompt, content: ANSWER }, 'python')).toEqual({
      kind: 'code',
      block: { code: 'ls -l', info: 'bash' },
      before: '%%bash\nls'
    });
  });

  it('takes the place of nothing where new code was asked for', () => {
    const one = { command: 'test', prompt: '```bash\n%%bash\nls\n```', content: ANSWER };
    expect(cellOf(one, 'python')).toMatchObject({ block: { info: 'bash' }, before: '' });
  });
});
