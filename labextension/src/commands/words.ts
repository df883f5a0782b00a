/** The words on the buttons of the panel, and why a command does not begin. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { type Done, EMBEDDED } from '../contract';
import { refusalSentence } from '../shared/notebook/refusalText';
import type { Obstacle } from './compose';
import type { RemovalReason } from './removalReason';
import type { TrialOutcome } from './trial';
import type { CommandAction } from './view';

export function actionLabel(action: CommandAction, trans: TranslationBundle): string {
  switch (action) {
    case 'stop':
      return trans.__('Stop');
    case 'accept':
      return trans.__('Accept all');
    case 'reject':
      return trans.__('Reject');
    case 'try':
      return trans.__('Try in a copy');
    case 'stop-trial':
      return trans.__('Stop trial');
    case 'compare':
      return trans.__('Compare');
    case 'setup':
      return trans.__('Set up a model');
    case 'retry':
      return trans.__('Retry');
    case 'copy':
      return trans.__('Copy');
    case 'insert':
      return trans.__('Insert below');
    case 'chat':
      return trans.__('Ask in chat');
    case 'close':
      return trans.__('Close');
  }
}

/** What came of a trial in a copy of the notebook. */
export function trialText(outcome: TrialOutcome, trans: TranslationBundle): string {
  switch (outcome.kind) {
    case 'none':
      return '';
    case 'running':
      return trans.__('Running old and new code in a copy of the notebook…');
    case 'stopped':
      return trans.__('The trial was stopped.');
    case 'no-kernel':
      return trans.__('Cannot be checked: no kernel is running. Start the kernel first.');
    case 'busy':
      return trans.__('Cannot be checked: the kernel is busy. Try again when it is idle.');
    case 'not-installed':
      return trans.__(
        'Cannot be checked: the environment of the kernel does not have jupyter_localcoder. Install it there.'
      );
    case 'language':
      return trans.__(
        'Cannot be checked: the kernel runs %1, and only Python can be tried in a copy.',
        outcome.language
      );
    case 'failed':
      return trans.__('Cannot be checked: the trial failed. %1', outcome.reason);
    case 'verdict':
      return [outcome.sentence, ...outcome.notes].join(' ');
  }
}

/** Who answered, and before it is done who is asked, where that is not the embedded model. */
export function whoText(done: Done | null, provider: string, trans: TranslationBundle): string {
  if (done) {
    return done.provider === EMBEDDED
      ? done.model.id
      : trans.__('%1 by %2', done.model.id, done.provider);
  }
  return provider === '' || provider === EMBEDDED ? '' : trans.__('Sent to %1', provider);
}

/** The same, and whether it is kept. */
export function headText(
  done: Done | null,
  provider: string,
  isPrivate: boolean,
  trans: TranslationBundle
): string {
  const kept = isPrivate ? trans.__('private: not saved') : '';
  return [whoText(done, provider, trans), kept].filter(part => part !== '').join(' · ');
}

export function privacyHelp(trans: TranslationBundle): string {
  return trans.__('Do not save cell commands in the history until the page is reloaded');
}

export function obstacleSentence(obstacle: Obstacle, trans: TranslationBundle): string {
  switch (obstacle) {
    case 'no-code':
      return trans.__('The cell is empty.');
    case 'no-comment':
      return trans.__('The cell has no comment that describes the code to generate.');
    case 'no-error':
      return trans.__('There is no error in the output of the cell. Run the cell first.');
    case 'away':
      return trans.__(
        'Cannot connect to the Jupyter server, so the request was not sent. The text received so far is ' +
          'kept.'
      );
    default:
      return refusalSentence({ reason: obstacle, sentence: '' }, trans);
  }
}

/** What has happened to a cell, and to the command that was open on it. */
export function removalText(
  reason: RemovalReason,
  command: string,
  trans: TranslationBundle
): string {
  switch (reason) {
    case 'removed':
      return trans.__('The cell was removed, and %1 with it.', command);
    case 'merged':
      return trans.__('The cell was merged with another, so %1 was closed.', command);
    case 'moved':
      return trans.__(
        'The cell was moved, so %1 was closed. Run the command again in its new position.',
        command
      );
    case 'retyped':
      return trans.__('The type of the cell was changed, so %1 was closed.', command);
    case 'reloaded':
      return trans.__(
        'The notebook was reloaded, so %1 was closed. Run the command again.',
        command
      );
  }
}
