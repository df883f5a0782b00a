/** What the prompt inspector shows of an answer, as names and values for people. Pure. */

import { EMBEDDED, type Inspection } from '../contract';
import type { Translate } from '../shared/text/translate';
import type { IRow } from '../shared/ui/rows';

/** A row of the table of sources. */
export interface ISourceRow {
  source: string;
  tokens: string;
  leftOut: string;
}

/** Tokens by source, in the order of the prompt, and their sum. `locale` forms the numbers. */
export function sourceRows(
  { parts }: Inspection,
  trans: Translate,
  locale?: string
): { rows: ISourceRow[]; total: ISourceRow } {
  const number = (value: number): string => value.toLocaleString(locale);
  const row = (source: string, tokens: number, leftOut: number): ISourceRow => ({
    source,
    tokens: number(tokens),
    leftOut: leftOut > 0 ? number(leftOut) : ''
  });
  const sum = (pick: (part: Inspection['parts'][number]) => number): number =>
    parts.reduce((total, part) => total + pick(part), 0);
  return {
    rows: parts.map(part => row(sourceWord(part.source, trans), part.tokens, part.left_out_tokens)),
    total: row(
      trans.__('All'),
      sum(part => part.tokens),
      sum(part => part.left_out_tokens)
    )
  };
}

/** The name of a source; one that a newer server knows has the server's own. */
function sourceWord(source: string, trans: Translate): string {
  switch (source) {
    case 'cells above':
      return trans.__('cells above');
    case 'cells below':
      return trans.__('cells below');
    case 'code':
      return trans.__('code');
    case 'control tokens':
      return trans.__('control tokens');
    case 'data frame previews':
      return trans.__('data frame previews');
    case 'earlier answers':
      return trans.__('earlier answers');
    case 'earlier turns':
      return trans.__('earlier turns');
    case 'error':
      return trans.__('error');
    case 'imports and definitions':
      return trans.__('imports and definitions');
    case 'instructions':
      return trans.__('instructions');
    case 'kernel':
      return trans.__('kernel');
    case 'question':
      return trans.__('question');
    case 'references':
      return trans.__('references');
    case 'this cell':
      return trans.__('this cell');
    default:
      return source;
  }
}

/** Where the time went, what the cache saved, and what answered. */
export function factRows(
  inspection: Inspection,
  trans: Translate,
  model: string = inspection.model.id,
  locale?: string
): IRow[] {
  const { usage, timings, sampling, confidence } = inspection;
  // Empty where another provider did not say: the row is then left out.
  const number = (value: number | null, digits = 0): string =>
    value?.toLocaleString(locale, { maximumFractionDigits: digits }) ?? '';
  const milliseconds = (value: number): string => trans.__('%1 ms', number(value, 1));
  const speed = (value: number): string =>
    value > 0 ? trans.__(' (%1 tokens per second)', number(value)) : '';
  return [
    {
      name: trans.__('Source'),
      value: inspection.scope.replace(/^tab:/, '') || inspection.kind
    },
    { name: trans.__('Time'), value: new Date(inspection.time).toLocaleString(locale) },
    {
      name: trans.__('Tokens read'),
      value:
        usage.cached_tokens === null
          ? number(usage.prompt_tokens)
          : trans.__(
              '%1, of which %2 from the cache',
              number(usage.prompt_tokens),
              number(usage.cached_tokens)
            )
    },
    { name: trans.__('Tokens written'), value: number(usage.completion_tokens) },
    { name: trans.__('Waiting'), value: milliseconds(timings.queue_ms) },
    {
      name: trans.__('Reading'),
      value: milliseconds(timings.prefill_ms) + speed(timings.prefill_tokens_per_second)
    },
    {
      name: trans.__('Writing'),
      value: milliseconds(timings.decode_ms) + speed(timings.decode_tokens_per_second)
    },
    { name: trans.__('Total'), value: milliseconds(timings.total_ms) },
    { name: trans.__('Finish reason'), value: ending(inspection, trans) },
    {
      name: trans.__('Probability'),
      value:
        confidence === null
          ? ''
          : trans.__(
              '%1 (its logarithm: %2)',
              Math.exp(confidence.log_probability).toLocaleString(locale, {
                style: 'percent',
                maximumSignificantDigits: 2
              }),
              number(confidence.log_probability, 2)
            )
    },
    {
      name: trans.__('Provider'),
      value: inspection.provider === EMBEDDED ? '' : inspection.provider
    },
    { name: trans.__('Model'), value: [model, inspection.model.quantization].join(' ').trim() },
    {
      name: trans.__('Sampling'),
      value:
        sampling === null
          ? ''
          : sampling.temperature === 0
            ? trans.__('greedy (most likely token)')
            : trans.__('temperature %1, seed %2', number(sampling.temperature, 2), sampling.seed)
    },
    { name: trans.__('Digest of the prompt'), value: inspection.prompt_sha256 }
  ].filter(({ value }) => value !== '');
}

function ending({ finish, withheld }: Inspection, trans: Translate): string {
  switch (withheld) {
    case 'confidence':
      return trans.__('not shown: the model was not sure enough');
    case 'syntax':
      return trans.__('not shown: it would cause a syntax error');
    case 'columns':
      return trans.__('not shown: it names a column that the data frame does not have');
    case 'repetition':
      return trans.__('not shown: it repeats the surrounding code');
    case 'hidden':
      return trans.__('not shown: it contains invisible control characters');
    case '':
      break;
  }
  switch (finish) {
    case 'stop':
      return trans.__('end of the answer');
    case 'length':
      return trans.__('length limit');
    case 'filter':
      return trans.__('truncated by the provider');
    case 'canceled':
      return trans.__('cancelled');
    case 'timeout':
      return trans.__('time limit');
  }
}
