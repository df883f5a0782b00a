/** Code that is there already, and the text of the cell into which it is put: the service sees to the magics. */

import type { ICodeBlock } from '../answers/fences';
import { ChannelError, type IChannel } from '../tokens';
import type { IRefusal } from './cellWriter';

/**
 * The text of a code cell with the code in the place of another; or why there is none.
 *
 * @param language That of the notebook's kernel.
 * @param before The text whose place it takes; blank for a new cell.
 */
export async function place(
  channel: Pick<IChannel, 'request'>,
  { code, info }: ICodeBlock,
  language: string,
  before = ''
): Promise<string | IRefusal> {
  if (before.trim() === '' && ['', language].includes(info.toLowerCase())) {
    return code;
  }
  try {
    const change = await channel.request('code:place', { code, info, cell: before, language });
    return change.problem ? unfit(change.problem, change.recovery) : change.code;
  } catch (reason) {
    if (!(reason instanceof ChannelError)) {
      throw reason;
    }
    return unfit(reason.payload.message, reason.payload.recovery);
  }
}

function unfit(problem: string, recovery = ''): IRefusal {
  return { reason: 'unfit', sentence: `${problem} ${recovery}`.trim() };
}
