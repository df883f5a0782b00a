import { describe, expect, it } from 'vitest';

import { CellWriter } from '../../../src/shared/notebook/cellWriter';
import { FakeNotebook } from './fakeNotebook';

const RECORD = { model: 'tiny' };

function opened() {
  const notebook = new FakeNotebook('a\nb', 'c');
  return { notebook, writer: new CellWriter(notebook.panel, notebook.cell(0)) };
}

describe('the way into a cell', () => {
  it('writes what was made from the text that is there, as one step', () => {
    const { notebook, writer } = opened();
    writer.shared.setSource('a\nb!');
    expect(writer.write('a\nb!', 'A\nb!', RECORD)).toBeNull();
    expect(notebook.sources).toEqual(['A\nb!', 'c']);
    expect(writer.shared.getMetadata('localcoder')).toEqual(RECORD);
    writer.shared.undo();
    expect(writer.source).toBe('a\nb!');
    expect(writer.shared.getMetadata('localcoder')).toBeUndefined();
  });

  it.each<[string, (notebook: FakeNotebook) => void]>([
    [
      'stale',
      ({ shared }) => {
        shared.getCell(0).setSource('mine');
      }
    ],
    [
      'gone',
      notebook => {
        notebook.remove(0);
      }
    ],
    [
      'locked-cell',
      ({ shared }) => {
        shared.getCell(0).setMetadata('editable', false);
      }
    ],
    [
      'locked-cell',
      notebook => {
        notebook.cell(0).readOnly = true;
      }
    ],
    [
      'locked-notebook',
      ({ panel }) => {
        Object.assign(panel.context.contentsModel ?? {}, { writable: false });
      }
    ],
    [
      'locked-notebook',
      ({ panel }) => {
        panel.context.model.readOnly = true;
      }
    ],
    [
      'gone',
      ({ panel }) => {
        Object.assign(panel, { isDisposed: true });
      }
    ]
  ])('is closed when it is %s', (reason, happens) => {
    const { notebook, writer } = opened();
    happens(notebook);
    const before = notebook.sources;
    expect(writer.write('a\nb', 'A', RECORD)?.reason).toBe(reason);
    expect(notebook.sources).toEqual(before);
  });

  it.each(['', ' \n\t'])('is closed for nothing: %j', nothing => {
    const { notebook, writer } = opened();
    expect(writer.write('a\nb', nothing, RECORD)?.reason).toBe('empty');
    expect(writer.insertBelow('code', nothing, RECORD)?.reason).toBe('empty');
    expect(notebook.sources).toEqual(['a\nb', 'c']);
  });

  it('is closed for a cell that stands in another notebook now', () => {
    const { notebook, writer } = opened();
    notebook.cells.splice(0, 1);
    expect(writer.write('a\nb', 'A', RECORD)?.reason).toBe('gone');
    expect(writer.source).toBe('a\nb');
  });

  it('asks a check, and says its sentence', () => {
    const notebook = new FakeNotebook('%%bash\nls');
    const check = (before: string, after: string): string =>
      before.startsWith('%%') && !after.startsWith('%%') ? 'The magic would be lost.' : '';
    const writer = new CellWriter(notebook.panel, notebook.cell(0), check);
    expect(writer.write('%%bash\nls', 'ls', RECORD)).toEqual({
      reason: 'unfit',
      sentence: 'The magic would be lost.'
    });
    expect(writer.write('%%bash\nls', '%%bash\nls -l', RECORD)).toBeNull();
    expect(notebook.sources).toEqual(['%%bash\nls -l']);
  });

  it('puts a cell below, also below one that is read-only, as one step', () => {
    const { notebook, writer } = opened();
    writer.shared.setMetadata('editable', false);
    expect(writer.insertBelow('code', 'x = 1', RECORD)).toBeNull();
    expect(notebook.sources).toEqual(['a\nb', 'x = 1', 'c']);
    notebook.shared.undo();
    expect(notebook.sources).toEqual(['a\nb', 'c']);
  });

  it('puts no cell into a notebook that is read-only, or below a cell that is gone', () => {
    const { notebook, writer } = opened();
    notebook.panel.context.model.readOnly = true;
    expect(writer.insertBelow('code', 'x', RECORD)?.reason).toBe('locked-notebook');
    notebook.panel.context.model.readOnly = false;
    notebook.remove(0);
    expect(writer.insertBelow('code', 'x', RECORD)?.reason).toBe('gone');
    expect(notebook.sources).toEqual(['c']);
  });
});
