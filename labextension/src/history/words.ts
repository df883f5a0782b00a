/** The words for an answer that was kept. */

import {
  EMBEDDED,
  FIELDS,
  type ProviderInfo,
  type Response,
  type ResponseFinish,
  type ResponseInfo
} from '../contract';
import { whereText } from '../shared/service/provider';
import { commandText } from '../shared/text/commandText';
import type { Translate } from '../shared/text/translate';
import { dollars, duration } from '../shared/text/units';
import type { IRow } from '../shared/ui/rows';

/** When it was, as people of the place write it. */
export function timeText(created: string, locale?: string): string {
  const date = new Date(created);
  return Number.isNaN(date.getTime())
    ? created
    : date.toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' });
}

/** Its title; where it has none, how its question begins. */
export function titleText({ title, title_source, preview }: ResponseInfo): string {
  return title_source === 'model' && preview !== '' ? preview : title;
}

/** One line: when, what, from where. */
export function factsText(info: ResponseInfo, trans: Translate, locale?: string): string {
  const facts = [
    timeText(info.created_at, locale),
    commandText(info.kind, info.command, trans),
    info.notebook === '' ? '' : trans.__('from %1', info.notebook)
  ];
  return facts.filter(Boolean).join(' · ');
}

/** Why it ended where it did; empty where it was complete. */
export function finishText(finish: ResponseFinish, trans: Translate): string {
  switch (finish) {
    case 'stop':
      return '';
    case 'length':
      return trans.__('The answer reached the length limit.');
    case 'filter':
      return trans.__('The provider truncated the answer.');
    case 'timeout':
      return trans.__('Time limit reached: this is the partial answer.');
    case 'canceled':
      return trans.__('Cancelled: this is the partial answer.');
  }
}

/** How it came about, by name. */
export function detailRows(response: Response, trans: Translate, locale?: string): IRow[] {
  const number = (value: number | null): string => value?.toLocaleString(locale) ?? '';
  const rows: IRow[] = [
    { name: trans.__('Time'), value: timeText(response.created_at, locale) },
    { name: trans.__('Provider'), value: response.provider },
    { name: trans.__('Model'), value: response.model },
    { name: trans.__('Notebook'), value: response.notebook },
    { name: trans.__('Tokens read'), value: number(response.prompt_tokens) },
    { name: trans.__('Tokens written'), value: number(response.completion_tokens) },
    {
      name: trans.__('Cost (estimate)'),
      value: response.cost_usd === null ? '' : dollars(response.cost_usd, locale)
    },
    {
      name: trans.__('Took'),
      value: response.milliseconds > 0 ? duration(response.milliseconds / 1000, trans) : ''
    },
    {
      name: trans.__('Not read'),
      value:
        response.left_out_turns > 0
          ? trans.__('earlier turns that did not fit: %1', number(response.left_out_turns))
          : ''
    },
    { name: trans.__('Seed'), value: String(response.sampling.seed ?? '') },
    { name: trans.__('Model digest'), value: response.digest }
  ];
  return rows.filter(({ value }) => value !== '');
}

/** Which of how many are shown. `total` is null where nobody has counted. */
export function rangeText(
  offset: number,
  shown: number,
  total: number | null,
  trans: Translate,
  locale?: string
): string {
  const number = (value: number): string => value.toLocaleString(locale);
  if (shown === 0) {
    return '';
  }
  const [first, last] = [number(offset + 1), number(offset + shown)];
  return total === null
    ? trans.__('%1–%2', first, last)
    : trans.__('%1–%2 of %3', first, last, number(total));
}

/** A name for a file that is downloaded. */
export function fileName(now: Date, id: string | null): string {
  const stamp = now.toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  return id === null ? `localcoder-history-${stamp}.zip` : `localcoder-answer-${id}.zip`;
}

/** What came of an export to a folder. */
export function exportedText(count: number, path: string, trans: Translate): string {
  return count === 1
    ? trans.__('One answer was written to %1.', path)
    : trans.__('%1 answers were written to %2.', count, path);
}

/** What came of deleting all. */
export function deletedText(count: number, trans: Translate): string {
  return count === 1
    ? trans.__('One answer was deleted.')
    : trans.__('%1 answers were deleted.', count);
}

const TITLE_SECONDS = FIELDS.SettingsUpdateRequest.title_timeout_seconds;

/** What is wrong with the seconds that a title may take; empty where nothing is. */
export function secondsFault(text: string, trans: Translate): string {
  const { min, max } = TITLE_SECONDS;
  const seconds = Number(text);
  return text.trim() !== '' && seconds >= min && seconds <= max
    ? ''
    : trans.__('A number from %1 to %2.', min, max);
}

/** What leaves for a title, and to where. */
export function titlesGoText(
  providers: readonly ProviderInfo[],
  id: string,
  trans: Translate
): string {
  const provider = providers.find(one => one.id === id);
  if (id === EMBEDDED || !provider) {
    return trans.__('Titles are generated on this machine.');
  }
  return trans.__(
    'This provider receives the first 500 characters of each question and its answer. %1',
    whereText(provider, trans)
  );
}
