import { PromiseDelegate } from '@lumino/coreutils';
import { expect, it } from 'vitest';

import { Refresher } from '../../../src/shared/connection/refresher';
import { settle } from '../../fakes';

function watched() {
  const asked: PromiseDelegate<void>[] = [];
  const refresher = new Refresher(() => {
    const answer = new PromiseDelegate<void>();
    asked.push(answer);
    return answer.promise;
  });
  return { asked, refresher };
}

it('asks once at a time, and once more for all who came meanwhile', async () => {
  const { asked, refresher } = watched();
  void refresher.run();
  let isFresh = false;
  const later = Promise.all([refresher.run(), refresher.run(), refresher.run()]).then(() => {
    isFresh = true;
  });
  expect(asked).toHaveLength(1);
  asked[0]?.resolve();
  await settle();
  expect(asked).toHaveLength(2);
  expect(isFresh).toBe(false);
  asked[1]?.resolve();
  await later;
  await settle();
  expect(asked).toHaveLength(2);
});

it('goes on after a failure', async () => {
  const { asked, refresher } = watched();
  const first = refresher.run();
  asked[0]?.reject(new Error('gone'));
  await first;
  void refresher.run();
  expect(asked).toHaveLength(2);
});
