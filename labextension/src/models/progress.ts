/** How far something is, in words and as a share. */

import { type Activity, activityWord, managerText } from '../contract';
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
  const amount = managerText(
    'amount',
    trans,
    percent(progress),
    size(receivedBytes, locale),
    size(totalBytes, locale)
  );
  const parts = [verb(progress, trans), amount];
  if (progress.activity !== '' && bytesPerSecond > 0) {
    parts.push(managerText('rate', trans, size(bytesPerSecond, locale)));
    const left = totalBytes - receivedBytes;
    if (left > 0) {
      parts.push(managerText('left', trans, duration(left / bytesPerSecond, trans)));
    }
  }
  return parts.join(' · ');
}

function verb({ activity, isVerifying }: IProgress, trans: Translate): string {
  return activityWord(isVerifying && activity === 'download' ? 'verify' : activity, trans);
}
