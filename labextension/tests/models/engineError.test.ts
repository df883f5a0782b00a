import { expect, it } from 'vitest';

import { EngineError } from '../../src/models/engineError';
import { list } from './samples';

it('says what is missing and the command that installs it', () => {
  const error = {
    code: 'PACKAGE_MISSING',
    message: 'The engine is not installed.',
    recovery: 'Run `pip install x[local]`.',
    details: {}
  };
  const shown = JSON.stringify(EngineError({ list: { ...list(), engine_error: error } }));
  expect(shown).toContain(error.message);
  expect(shown).toContain(error.recovery);
});

it('shows nothing where a model can run, and before that is known', () => {
  expect(EngineError({ list: list() })).toBeNull();
  expect(EngineError({ list: null })).toBeNull();
});
