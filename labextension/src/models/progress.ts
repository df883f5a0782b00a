/** How far something is, in words and as a share. */

import type { Activity } from '../contract';
import type { Translate } from '../shared/text/translate';
import { duration, size } from '../shared/text/units';

/** What is under way with a model, or what of it is kept for later. */
export interface IProgress {
  activity: Activity;
  /** Whether the bytes are read again to compute their digest. */
  isVerifying: boolean;
  receivedBytes: number;
  totalBytes: number;
  bytesPerSecond: number;
}

/** Whole percent, rounded down: what is not whole never reads as whole. */
export function percent(progress: IProgress): number {
  const share = progress.receivedBytes / Math.max(1, progress.totalBytes);
  return Math.min(100, Math.max(0, Math.floor(share * 100)));
}

/** What is done of what, how fast, and how long it will take. */
export function progressText(progress: IProgress, trans: Translate, locale?: string): string {
  const { receivedBytes, totalBytes, bytesPerSecond } = progress;
  const amount = trans.__(
    '%1 %: %2 of %3',
    percent(progress),
    size(receivedBytes, locale),
    size(totalBytes, locale)
  );
  const parts = [verb(progress, trans), amount];
  if (progress.activity !== '' && bytesPerSecond > 0) {
    parts.push(trans.__('%1/s', size(bytesPerSecond, locale)));
    const left = totalBytes - receivedBytes;
    if (left > 0) {
      parts.push(trans.__('%1 left', duration(left / bytesPerSecond, trans)));
    }
  }
  return parts.join(' · ');
}

function verb({ activity, isVerifying }: IProgress, trans: Translate): string {
  switch (activity) {
    case '':
      return trans.__('Paused');
    case 'download':
      return isVerifying ? trans.__('Verifying') : trans.__('Downloading');
    case 'verify':
      return trans.__('Verifying');
    case 'import':
      return trans.__('Importing');
    case 'export':
      return trans.__('Exporting');
  }
}
