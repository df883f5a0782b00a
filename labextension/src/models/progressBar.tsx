/** A bar that says in numbers what it shows. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { type IProgress, percent, progressText } from './progress';

export interface IProgressBarProps {
  progress: IProgress;
  /** What it is the progress of. */
  label: string;
  trans: TranslationBundle;
}

export function ProgressBar({ progress, label, trans }: IProgressBarProps): React.JSX.Element {
  const done = percent(progress);
  const text = progressText(progress, trans);
  return (
    <div className="jp-LocalCoder-Progress" data-activity={progress.activity || 'paused'}>
      <div
        className="jp-LocalCoder-Progress-track"
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={done}
        aria-valuetext={text}
      >
        <div className="jp-LocalCoder-Progress-done" style={{ width: `${done}%` }} />
      </div>
      <p className="jp-LocalCoder-Progress-text">{text}</p>
    </div>
  );
}
