/** Numbers for people: bytes, times and speeds in a few characters; as in Python (`text/units.py`). */

import type { Translate } from './translate';

const PREFIXES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes with a decimal prefix and three digits, as disks and download pages count. */
export function size(bytes: number, locale?: string): string {
  let value = bytes;
  let prefix = 0;
  while (Math.abs(value) >= 999.5 && prefix < PREFIXES.length - 1) {
    value /= 1000;
    prefix += 1;
  }
  const digits = prefix === 0 || Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2;
  const text = value.toLocaleString(locale, { maximumFractionDigits: digits });
  return `${text} ${PREFIXES[prefix] ?? ''}`;
}

/** Tokens of a context: 32768 is "32k". */
export function tokens(count: number): string {
  return count >= 1024 && count % 1024 === 0 ? `${count / 1024}k` : String(count);
}

/** A speed with at most one digit after the point. */
export function perSecond(speed: number, trans: Translate, locale?: string): string {
  const digits = speed >= 10 ? 0 : 1;
  return trans.__('%1 tokens/s', speed.toLocaleString(locale, { maximumFractionDigits: digits }));
}

/** Seconds in the largest units that matter. */
export function duration(seconds: number, trans: Translate): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) {
    return trans.__('%1 s', whole);
  }
  if (whole < 3600) {
    return trans.__('%1 min %2 s', Math.floor(whole / 60), twoDigits(whole % 60));
  }
  const hours = Math.floor(whole / 3600);
  if (hours < 24) {
    return trans.__('%1 h %2 min', hours, twoDigits(Math.floor((whole % 3600) / 60)));
  }
  return trans.__('%1 d %2 h', Math.floor(hours / 24), hours % 24);
}

function twoDigits(count: number): string {
  return String(count).padStart(2, '0');
}

/** US dollars: cents for amounts that have them, two digits of what is less. */
export function dollars(value: number, locale?: string): string {
  const isSmall = value > 0 && value < 0.1;
  return value.toLocaleString(locale, {
    style: 'currency',
    currency: 'USD',
    ...(isSmall
      ? { maximumSignificantDigits: 2, minimumSignificantDigits: 1 }
      : { minimumFractionDigits: 2, maximumFractionDigits: 2 })
  });
}
