import { describe, expect, it } from 'vitest';

import {
  described,
  fileAt,
  fileSuggestions,
  type IOffers,
  mentionAt,
  pathOf,
  suggestions,
  writtenMentions
} from '../../src/chat/mention';

const OFFERS: IOffers = {
  cell: 'cell 2',
  hasSelection: true,
  output: 'cell 2',
  error: 'cell 1',
  variables: [
    { name: 'frame', type: 'DataFrame' },
    { name: 'x', type: 'int' }
  ]
};
const NOTHING: IOffers = { cell: '', hasSelection: false, output: '', error: '', variables: [] };
const DETAILS = { selection: 's', file: 'f', variable: 'v' };

function labels(query: string, offers = OFFERS): string[] {
  return suggestions(query, offers, DETAILS).map(({ label }) => label);
}

describe('a mention', () => {
  it('begins with an @ before which nothing or a blank stands', () => {
    expect(mentionAt('look at @ce', 11)).toEqual({ from: 8, query: 'ce' });
    expect(mentionAt('@', 1)).toEqual({ from: 0, query: '' });
    expect(mentionAt('me@example', 10)).toBeNull();
    expect(mentionAt('@cell and', 9)).toBeNull();
  });

  it('may be a path with blanks', () => {
    expect(mentionAt('see @file:My Data/a', 19)).toEqual({ from: 4, query: 'file:My Data/a' });
  });
});

describe('what is offered', () => {
  it('is what the page has', () => {
    expect(labels('')).toEqual(['cell', 'selection', 'output', 'error', 'file:', 'variable:']);
    expect(labels('', NOTHING)).toEqual(['file:']);
  });

  it('is what begins as what is typed', () => {
    expect(labels('SEL')).toEqual(['selection']);
    expect(labels('f')).toEqual(['file:', 'variable:frame']);
    expect(labels('variable:')).toEqual(['variable:frame', 'variable:x']);
    expect(labels('variable:x')).toEqual(['variable:x']);
    expect(labels('nothing')).toEqual([]);
  });

  it('is folders before files, by the beginning of their names', () => {
    const entries = [
      { path: 'data/apples.csv', isFolder: false },
      { path: 'data/archive', isFolder: true },
      { path: 'data/pears.csv', isFolder: false }
    ];
    expect(pathOf('file:data/a')).toEqual({ folder: 'data', start: 'a' });
    expect(pathOf('file:')).toEqual({ folder: '', start: '' });
    expect(pathOf('cell')).toBeNull();
    expect(fileSuggestions('a', entries).map(({ label, isOpen }) => [label, isOpen])).toEqual([
      ['file:data/archive/', true],
      ['file:data/apples.csv', false]
    ]);
  });
});

describe('a variable', () => {
  it('is told by type, shape, columns and signature', () => {
    expect(
      described({
        name: 'frame',
        type: 'DataFrame',
        shape: [3, 2],
        columns: [{ name: 'price', dtype: 'float64' }]
      })
    ).toBe('frame: DataFrame, shape (3, 2)\n  price: float64');
    expect(described({ name: 'f', type: 'function', signature: '(x, *, y=...)' })).toBe(
      'f(x, *, y=...): function'
    );
    expect(described({ name: 'thing' })).toBe('thing');
  });
});

describe('what is written out', () => {
  it('is what could have been chosen', () => {
    expect(
      writtenMentions('@cell, @selection and @variable:df. See @file:My Data/a.csv, please').map(
        ({ kind, name }) => [kind, name]
      )
    ).toEqual([
      ['cell', ''],
      ['selection', ''],
      ['variable', 'df'],
      ['file', 'My Data/a.csv, please']
    ]);
    expect(writtenMentions('What does @cell? And @cell').map(({ kind }) => kind)).toEqual(['cell']);
    expect(writtenMentions('Why @error, not @output?').map(({ kind }) => kind)).toEqual([
      'error',
      'output'
    ]);
    expect(writtenMentions('(@cell')).toEqual([]);
  });

  it('is nothing else', () => {
    expect(
      writtenMentions(
        'me@cell.org @cellar @errors @output.png @property @cell.setter @ @file: @variable:'
      )
    ).toEqual([]);
  });

  it('is the longest name of a file that stands there', () => {
    const entries = ['My Data/a', 'My Data/a.csv', 'My Data/a.csv b'].map(path => ({
      path,
      isFolder: false
    }));
    expect(fileAt('My Data/a.csv, please', entries)).toBe('My Data/a.csv');
    expect(fileAt('My Data/a.csv b?', entries)).toBe('My Data/a.csv b');
    expect(fileAt('My Data/abc', entries)).toBeNull();
    expect(fileAt('sub', [{ path: 'sub', isFolder: true }])).toBeNull();
  });
});
