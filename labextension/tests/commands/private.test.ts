import { describe, expect, it } from 'vitest';

import { Job } from '../../src/commands/job';
import { Privacy } from '../../src/commands/privacy';
import { headText } from '../../src/commands/words';
import { FakeWebSocket, openChannel, trans } from '../fakes';
import { FakeNotebook } from '../shared/notebook/fakeNotebook';

function begin() {
  const notebook = new FakeNotebook('x = 1');
  const privacy = new Privacy();
  const job = new Job(openChannel(), 'explain', notebook.panel, notebook.cell(0), privacy);
  const socket = FakeWebSocket.last;
  const asked = () =>
    socket.sent.filter(({ op }) => op === 'generate').map(({ payload }) => payload);
  return { job, privacy, asked };
}

describe('a command on a cell', () => {
  it('says where it was asked', () => {
    const { job, asked } = begin();
    job.start();
    expect(asked()[0]?.origin).toEqual({ notebook: 'a/b.ipynb', cell: 'c1' });
    expect(asked()[0]).not.toHaveProperty('private');
    expect(job.isPrivate).toBe(false);
  });

  it('is private from the next question on, until that is taken back', () => {
    const { job, privacy, asked } = begin();
    let changes = 0;
    job.changed.connect(() => changes++);
    job.start();
    const before = changes;
    privacy.set(true);
    privacy.set(true);
    expect(changes).toBe(before + 1);
    expect(job.isPrivate).toBe(false);
    job.start();
    job.refine('shorter');
    expect(job.isPrivate).toBe(true);
    privacy.set(false);
    expect(job.isPrivate).toBe(true);
    job.start();
    expect(job.isPrivate).toBe(false);
    expect(asked().map(request => request.private)).toEqual([undefined, true, true, undefined]);
  });

  it('does not listen any more when it is gone', () => {
    const { job, privacy } = begin();
    let changes = 0;
    job.changed.connect(() => changes++);
    job.dispose();
    privacy.set(true);
    expect(changes).toBe(0);
  });
});

describe('the head of its panel', () => {
  it('says who is asked, and that nothing is kept', () => {
    const bundle = trans as never;
    expect(headText(null, 'acme', true, bundle)).toBe('Sent to acme · private: not saved');
    expect(headText(null, 'embedded', true, bundle)).toBe('private: not saved');
    expect(headText(null, 'acme', false, bundle)).toBe('Sent to acme');
  });
});
