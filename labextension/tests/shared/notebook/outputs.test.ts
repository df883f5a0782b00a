import { describe, expect, it } from 'vitest';

import { textOf, tracebackOf } from '../../../src/shared/notebook/outputs';

const ERROR = {
  output_type: 'error',
  ename: 'E',
  evalue: 'why',
  traceback: ['\u001b[31mE\u001b[0m: why']
};

describe('the traceback', () => {
  it('is the last error, its middle left out where it is long', () => {
    const long = { ...ERROR, traceback: ['a'.repeat(5000), 'b'.repeat(5000)] };
    const text = tracebackOf([ERROR, long, { output_type: 'stream' }]) ?? '';
    expect(text.length).toBeLessThan(8100);
    expect(text).toMatch(/^a+\n\[…\]\n/);
    expect(text).toMatch(/b$/);
  });

  it('is the name and the words where there is none', () => {
    expect(tracebackOf([{ output_type: 'error', ename: 'E', evalue: 'why' }])).toBe('E: why');
  });
});

describe('the text of outputs', () => {
  it('is what was printed, shown and raised, in order and without colours', () => {
    const outputs = [
      { output_type: 'stream', text: ['a\n', 'b\n'] },
      { output_type: 'display_data', data: { 'image/png': 'iVBOR', 'text/plain': '<Figure>' } },
      { output_type: 'execute_result', data: { 'text/plain': ['   x\n', '0  1'] } },
      ERROR
    ];
    expect(textOf(outputs)).toBe('a\nb\n<Figure>\nx\n0  1\nE: why');
  });

  it('is empty where there is none, and short where there is much', () => {
    expect(textOf([{ output_type: 'display_data', data: { 'image/png': 'iVBOR' } }])).toBe('');
    expect(textOf([{ output_type: 'stream', text: 7 }])).toBe('');
    expect(textOf([{ output_type: 'stream', text: 'x'.repeat(1e6) }]).length).toBeLessThan(8100);
  });
});
