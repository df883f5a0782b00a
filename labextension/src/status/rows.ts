/** The details of the backend, as pairs of a name and a value for people to read. */

import type { BackendStatus } from '../contract';
import { stateWord } from '../shared/text/stateWord';
import type { Translate } from '../shared/text/translate';
import { size } from '../shared/text/units';
import type { IRow } from '../shared/ui/rows';

/**
 * All rows that have something to say: what was not measured, or cannot be read, is left out.
 *
 * `model` is the name of the model for people, `several` are those of all that are in memory, where
 * there are more; `locale` forms the numbers.
 */
export function detailRows(
  status: BackendStatus,
  model: string | null,
  trans: Translate,
  locale?: string,
  several: readonly string[] = []
): IRow[] {
  const { speeds, memory } = status;
  const number = (value: number, digits = 0): string =>
    value.toLocaleString(locale, { maximumFractionDigits: digits });
  const bytes = (count: number): string => size(count, locale);
  const perSecond = (speed: number): string => trans.__('%1 tokens per second', number(speed, 1));
  const rows: (IRow | null)[] = [
    { name: trans.__('State'), value: stateWord(status.state, trans) },
    { name: trans.__('Model'), value: model ?? trans.__('none') },
    row(trans.__('Both in memory'), several.join(', ')),
    row(trans.__('In memory'), status.residency),
    { name: trans.__('Profile'), value: status.profile },
    row(trans.__('Runs on'), status.acceleration),
    ...status.resident.map(({ warning }) =>
      row(trans.__('Note'), warning ? `${warning.message} ${warning.action}` : '')
    ),
    row(trans.__('Context window'), status.context_window, tokens =>
      trans.__('%1 tokens', number(tokens))
    ),
    { name: trans.__('Requests waiting or running'), value: number(status.queue_length) },
    row(trans.__('Reading speed'), speeds.prefill_tokens_per_second, perSecond),
    row(trans.__('Writing speed'), speeds.decode_tokens_per_second, perSecond),
    row(trans.__('Time to the first token'), speeds.first_token_ms, ms =>
      trans.__('%1 ms (90th percentile: %2 ms)', number(ms), number(speeds.first_token_p90_ms))
    ),
    row(trans.__('Requests measured'), speeds.requests, count => number(count)),
    row(
      several.length > 0
        ? trans.__('Memory used by the models')
        : trans.__('Memory used by the model'),
      memory.worker_bytes,
      bytes
    ),
    row(trans.__('Memory used by the Jupyter server'), memory.server_bytes, bytes),
    row(trans.__('Available memory'), memory.available_bytes, free =>
      trans.__('%1 of %2', bytes(free), bytes(memory.total_bytes))
    ),
    {
      name: trans.__('Air gap'),
      value: status.air_gap
        ? trans.__('on: connections to other machines are blocked')
        : trans.__('off')
    },
    { name: trans.__('Version'), value: status.version }
  ];
  return rows.filter(one => one !== null);
}

function row<T extends string | number>(
  name: string,
  value: T,
  format: (value: T) => string = String
): IRow | null {
  return value ? { name, value: format(value) } : null;
}
