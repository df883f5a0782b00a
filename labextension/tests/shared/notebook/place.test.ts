import { describe, expect, it, vi } from 'vitest';

import { place } from '../../../src/shared/notebook/place';
import { FakeWebSocket, openChannel } from '../../fakes';

const BLOCK = { code: 'x = 2', info: 'python' };

describe('the place of code', () => {
  it('is a new cell as it is, where the notebook is in its language', async () => {
    const request = vi.fn();
    expect(await place({ request }, BLOCK, 'python')).toBe('x = 2');
    expect(await place({ request }, { ...BLOCK, info: '' }, 'r', '\n')).toBe('x = 2');
    expect(request).not.toHaveBeenCalled();
  });

  it('is what the service makes of the cell', async () => {
    const channel = openChannel();
    const placed = place(channel, BLOCK, 'python', '%%time\nx = 1');
    expect(FakeWebSocket.last.request('code:place').payload).toEqual({
      ...BLOCK,
      cell: '%%time\nx = 1',
      language: 'python'
    });
    FakeWebSocket.last.answer('code:place', { code: '%%time\nx = 2' });
    expect(await placed).toBe('%%time\nx = 2');
    const fresh = place(channel, { code: 'ls', info: 'bash' }, 'python');
    FakeWebSocket.last.answer('code:place', { code: '%%bash\nls' });
    expect(await fresh).toBe('%%bash\nls');
  });

  it('is none where the service says why', async () => {
    const channel = openChannel();
    const placed = place(channel, BLOCK, 'python', '%%bash\nls');
    FakeWebSocket.last.answer('code:place', { code: 'x = 2', problem: 'No.', recovery: 'Copy.' });
    expect(await placed).toEqual({ reason: 'unfit', sentence: 'No. Copy.' });
    const lost = place(channel, BLOCK, 'python', 'x = 1');
    FakeWebSocket.last.drop();
    expect(await lost).toMatchObject({ reason: 'unfit' });
  });
});
