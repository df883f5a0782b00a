import { describe, expect, it } from 'vitest';

import { withFormulas } from '../../../src/shared/answers/math';

describe('formulas', () => {
  it.each([
    ['Let \\(x^2\\) be', 'Let \\\\(x^2\\\\) be'],
    ['\\[ a = b \\]', '\\\\[ a = b \\\\]'],
    ['\\[\n\\frac{a}{b}\n\\]\nand \\(c\\)', '\\\\[\n\\frac{a}{b}\n\\\\]\nand \\\\(c\\\\)'],
    ['- So:\n  \\[\n  x\n  \\]', '- So:\n  \\\\[\n  x\n  \\\\]']
  ])('%j become what JupyterLab takes for one', (text, expected) => {
    expect(withFormulas(text)).toBe(expected);
  });

  it.each([
    '$x$ and $$y$$',
    'already \\\\(x\\\\) so',
    'still \\[ open',
    '\\[no link\\](https://example.org)',
    '\\(a\n\nb\\)',
    '`\\(x\\)` and ``a ` \\[y\\]``',
    '```tex\n\\[ x \\]\n```',
    '~~~\n\\(x\\)\n~~~',
    '- ```\n  \\(x\\)\n  ```',
    '```\nnot closed yet: \\(x\\)',
    'a ( b ) [ c ]'
  ])('%j stays', text => {
    expect(withFormulas(text)).toBe(text);
  });

  it('stand before and after code', () => {
    expect(withFormulas('\\(a\\) `\\(b\\)` \\(c\\)\n```\n\\(d\\)\n```\n\\(e\\)')).toBe(
      '\\\\(a\\\\) `\\(b\\)` \\\\(c\\\\)\n```\n\\(d\\)\n```\n\\\\(e\\\\)'
    );
  });
});
