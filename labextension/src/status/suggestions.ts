/** What became of suggestions, as pairs of a name and a value for people to read. */

import type { SuggestionCounts, SuggestionStats } from '../contract';
import type { Translate } from '../shared/text/translate';
import type { IRow } from '../shared/ui/rows';

const MOST_ROWS = 5;

/** The sums, and then those of the models and languages with the most suggestions. */
export function suggestionRows(stats: SuggestionStats, trans: Translate, locale?: string): IRow[] {
  if (!stats.enabled && stats.counts.length === 0) {
    return [{ name: trans.__('Suggestions'), value: trans.__('not counted') }];
  }
  const rows = [
    { name: trans.__('Suggestions'), value: countsText(stats.total, trans, locale) },
    ...stats.counts.slice(0, MOST_ROWS).map(counts => ({
      name: [counts.model || '?', counts.language || '?'].join(' · '),
      value: countsText(counts, trans, locale)
    }))
  ];
  if (stats.enabled && stats.min_probability !== null) {
    rows.push({
      name: trans.__('Suggestions end below a probability of'),
      value: stats.min_probability.toLocaleString(locale, { maximumFractionDigits: 2 })
    });
  }
  return rows;
}

function countsText(counts: SuggestionCounts, trans: Translate, locale?: string): string {
  const number = (value: number): string => value.toLocaleString(locale);
  const { accepted, accepted_line: byLine, accepted_word: byWord } = counts;
  const all = accepted + byLine + byWord;
  return trans.__(
    '%1 shown, %2 accepted (%3 whole, %4 by line, %5 by word), %6 dismissed, %7 kept for a minute',
    number(counts.shown),
    number(all),
    number(accepted),
    number(byLine),
    number(byWord),
    number(counts.dismissed),
    number(counts.kept)
  );
}
