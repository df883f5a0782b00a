/** What the panel beside a cell says and offers, for every state of a command. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { Done, ErrorPayload } from '../contract';
import { type AnswerState, needsModel } from '../shared/answers/streamedAnswer';
import type { IRefusal } from '../shared/notebook/cellWriter';
import { refusalText } from '../shared/notebook/refusalText';
import type { InterruptionCause } from './job';
import type { ProposalState } from './proposal';

const STALE: IRefusal = { reason: 'stale', sentence: '' };

/** What can be done, in the order in which it is offered. */
export type CommandAction =
  | 'stop'
  | 'accept'
  | 'reject'
  | 'try'
  | 'stop-trial'
  | 'compare'
  | 'setup'
  | 'retry'
  | 'copy'
  | 'insert'
  | 'chat'
  | 'close';

export interface ICommandState {
  answer: AnswerState;
  /** Absent for a command that answers with text. */
  proposal?: ProposalState | undefined;
  /** What keeps the suggestion from being accepted. */
  refusal?: IRefusal | null;
  /** Whether an overtaken suggestion can be compared with the cell as it is now. */
  canCompare?: boolean;
  /** What has stopped it, where that was not the person. */
  cause?: InterruptionCause | null;
  /** Number of places in which the suggestion differs from the cell. */
  hunks: number;
  hasText: boolean;
  /** Whether the suggestion is being tried in a copy of the notebook. */
  isTrying?: boolean;
  /** Whether there is a chat to go on in. */
  hasChat: boolean;
  done: Done | null;
  error: ErrorPayload | null;
}

export interface ICommandView {
  severity: 'info' | 'warning' | 'error';
  /** A sentence on where it stands; it is also spoken. */
  message: string;
  recovery: string;
  actions: CommandAction[];
  /** Whether hunks can be accepted. */
  isReady: boolean;
}

export function viewOf(state: ICommandState, trans: TranslationBundle): ICommandView {
  const isChange = state.proposal !== undefined;
  const view: ICommandView = {
    severity: 'info',
    message: '',
    recovery: '',
    actions: [],
    isReady: false
  };
  const ended = (...own: CommandAction[]): CommandAction[] => [
    ...own,
    'retry',
    ...(state.hasText ? (['copy'] as const) : []),
    ...(state.hasText && !isChange && state.done ? (['insert'] as const) : []),
    ...(state.hasText && state.hasChat ? (['chat'] as const) : []),
    'close'
  ];
  if (state.proposal === 'stale') {
    view.severity = 'warning';
    view.message = state.cause === 'split' ? splitText(trans) : refusalText(STALE, trans).message;
    view.recovery = state.canCompare
      ? trans.__(
          'Use Compare to see its changes to the current cell, or Retry to send the current cell.'
        )
      : trans.__('Use Retry to send the current cell.');
    view.actions = state.canCompare ? ['compare', ...ended()] : ended();
    return view;
  }
  switch (state.answer) {
    case 'waiting':
      view.message = trans.__('Reading the code.');
      view.actions = ['stop'];
      break;
    case 'reasoning':
      view.message = trans.__('Reasoning…');
      view.actions = ['stop'];
      break;
    case 'writing':
      view.message = trans.__('Writing.');
      view.actions = ['stop'];
      break;
    case 'failed':
      view.severity = 'error';
      view.message = state.error?.message ?? '';
      view.recovery = state.error?.recovery ?? '';
      view.actions = needsModel(state.error?.code) ? ended('setup') : ended();
      break;
    case 'stopped':
      view.message = (state.done?.note ?? '') || stoppedText(state.cause ?? null, isChange, trans);
      view.actions = ended();
      break;
    case 'done':
      endedView(view, state, ended, trans);
  }
  return view;
}

export interface IChangeState {
  proposal: ProposalState;
  hunks: number;
  refusal: IRefusal | null;
  canCompare: boolean;
  /** Whether it is being tried in a copy of the notebook. */
  isTrying?: boolean;
}

/** The same for a change that is there, whole, and for which nobody is asked again. */
export function changeView(state: IChangeState, trans: TranslationBundle): ICommandView {
  if (state.proposal === 'open' && !state.refusal) {
    return {
      severity: 'info',
      message: suggestedText(state.hunks, trans),
      recovery: '',
      actions: ['accept', 'reject', state.isTrying ? 'stop-trial' : 'try'],
      isReady: true
    };
  }
  const { message, recovery } = refusalText(state.refusal ?? STALE, trans);
  return {
    severity: 'warning',
    message,
    recovery: state.canCompare
      ? trans.__('Use Compare to see its changes to the current cell.')
      : recovery,
    actions: [...(state.canCompare ? (['compare'] as const) : []), 'copy', 'close'],
    isReady: false
  };
}

function suggestedText(hunks: number, trans: TranslationBundle): string {
  return trans._n('%1 change suggested.', '%1 changes suggested.', hunks);
}

function splitText(trans: TranslationBundle): string {
  return trans.__('The cell was split, so the answer was stopped.');
}

function stoppedText(
  cause: InterruptionCause | null,
  isChange: boolean,
  trans: TranslationBundle
): string {
  if (cause === 'split') {
    return splitText(trans);
  }
  if (cause === 'kernel') {
    return trans.__('The kernel was restarted, so the answer was stopped.');
  }
  return isChange
    ? trans.__('Stopped. An incomplete answer cannot be accepted.')
    : trans.__('Stopped.');
}

function endedView(
  view: ICommandView,
  state: ICommandState,
  ended: (...own: CommandAction[]) => CommandAction[],
  trans: TranslationBundle
): void {
  const isChange = state.proposal !== undefined;
  view.actions = ended();
  if (state.done?.finish === 'length') {
    view.severity = 'warning';
    view.message = trans.__('The answer was truncated at the length limit.');
    view.recovery = trans.__('Select less of the cell, or increase the limit in the settings.');
  } else if (state.done?.finish === 'timeout') {
    view.severity = 'warning';
    view.message = trans.__('The answer was truncated at the time limit.');
  } else if (state.done?.finish === 'filter') {
    view.severity = 'warning';
    view.message = trans.__('The provider truncated the answer.');
  } else if (!isChange) {
    view.message = trans.__('Done.');
  } else if (!state.hasText) {
    view.severity = 'warning';
    view.message = trans.__('The model returned no answer, so the cell was not changed.');
  } else if (state.done?.change?.problem) {
    view.severity = 'warning';
    view.message = state.done.change.problem;
    view.recovery = state.done.change.recovery;
  } else if (state.hunks === 0) {
    view.message = trans.__('The model suggests no changes.');
  } else if (state.refusal) {
    view.severity = 'warning';
    Object.assign(view, refusalText(state.refusal, trans));
    view.actions = ['reject', ...ended().filter(action => action !== 'close')];
  } else {
    view.message = [suggestedText(state.hunks, trans), ...(state.done?.change?.notes ?? [])].join(
      ' '
    );
    view.actions = [
      'accept',
      'reject',
      state.isTrying ? 'stop-trial' : 'try',
      ...ended().filter(action => action !== 'close')
    ];
    view.isReady = true;
  }
}
