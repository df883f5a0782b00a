import { describe, expect, it } from 'vitest';

import { inertTeX } from '../../../src/shared/answers/inert';

describe('a command of TeX', () => {
  it.each(
    (
      'style href url class cssId data require includegraphics unicode csname bbox mmlToken texttip mathtip ' +
      'toggle def let newcommand gnewcommand renewcommand providecommand newenvironment renewenvironment ' +
      'gdef edef xdef htmlData htmlStyle htmlClass htmlId DeclareMathOperator Newextarrow'
    ).split(' ')
  )('\\%s, which acts or defines, does nothing', command => {
    expect(inertTeX(`$\\${command}{x}$`)).toBe(`$\\\u2060${command}{x}$`);
  });

  it.each(['\\alpha', '\\styled', '\\left(', '\\deft', '\\leq'])('%s stays', text => {
    expect(inertTeX(text)).toBe(text);
  });
});
