import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { Reasoning } from '../../../src/shared/answers/reasoning';
import { Fold } from '../../../src/shared/ui/fold';

const trans = nullTranslator.load('');

describe('reasoning', () => {
  it('is folded, labelled, and plain text', () => {
    const reasoning = '\n<b>First</b>\u001b[31m, `x`.\n';
    const pre = {
      type: 'pre',
      props: { 'aria-label': 'Reasoning', tabIndex: 0, children: '<b>First</b>, `x`.' }
    };
    const fold = { type: Fold, props: { title: 'Reasoning (18 characters)', children: pre } };
    expect(Reasoning({ reasoning, trans })).toMatchObject({ props: { children: fold } });
  });

  it('is not there where nothing was reasoned', () => {
    expect(Reasoning({ reasoning: '', trans })).toBeNull();
    expect(Reasoning({ reasoning: ' \n', trans })).toBeNull();
  });
});
