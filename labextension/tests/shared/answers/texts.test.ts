import { describe, expect, it } from 'vitest';

import { inertMarkdown } from '../../../src/shared/answers/inert';
import { plain } from '../../../src/shared/answers/plain';
import EXAMPLES from './plain.json';

describe('plain text', () => {
  it('has neither escapes nor marks that turn its order', () => {
    expect(
      plain('\u001b[31mred\u001b[0m \u001b]8;;https://e\u0007name \u202eright\u2066 a\u0007\tb')
    ).toBe('red name right a\tb');
    expect(plain('a\r\nb\rc')).toBe('a\nb\nc');
    expect(plain('a\ud800b\udfff')).toBe('a\ufffdb\ufffd');
  });

  // The service holds itself to the same examples.
  it.each(EXAMPLES.changes)('of %j is %j', (text, visible) => {
    expect(plain(text)).toBe(visible);
  });

  it.each(EXAMPLES.stays)('keeps what writing needs: %j', text => {
    expect(plain(text)).toBe(text);
  });

  it('was not changed', () => {
    const text = 'def f(x):\n\treturn "é\u00a0🙂"\n';
    expect(plain(text)).toBe(text);
  });
});

describe('inert Markdown', () => {
  it('draws no diagram', () => {
    expect(inertMarkdown('```mermaid\ngraph\n```\n~~~~ Mermaid\n~~~~')).toBe(
      '```text\ngraph\n```\n~~~~ text\n~~~~'
    );
    expect(inertMarkdown('mermaid is `mermaid`')).toBe('mermaid is `mermaid`');
  });
});
