/** The words of the status-bar item. */

import type { WorkerState } from '../contract';
import { stateWord } from '../shared/text/stateWord';
import type { Translate } from '../shared/text/translate';
import type { IAnswerer, IAnswerers } from './answerers';
import type { Connection, IWorkerView } from './model';

/** What the completion of this page is doing. */
export interface ICompletionView {
  readonly isPaused: boolean;
  readonly isOff: boolean;
  readonly running: number;
  readonly tokensPerSecond: number;
}

export interface IStatusText {
  /** A few words, for the status bar. */
  label: string;
  /** A sentence, for the tooltip and the dialog. */
  sentence: string;
  /** What a screen reader says when it changes. */
  spoken: string;
  /** Whether something is going on that the person waits for. */
  isWorking: boolean;
}

export function statusText(
  connection: Connection,
  worker: IWorkerView | null,
  trans: Translate,
  completion: ICompletionView | null = null,
  answerers: IAnswerers = LOCAL
): IStatusText {
  if (connection === 'away' || connection === 'absent') {
    const label = trans.__('LocalCoder: not connected');
    const sentence =
      connection === 'absent'
        ? trans.__('The Jupyter server does not run the LocalCoder extension.')
        : trans.__('Connection to the Jupyter server lost. Reconnecting…');
    return { label, sentence, spoken: label, isWorking: false };
  }
  if (connection === 'silent') {
    const label = trans.__('LocalCoder: no response');
    const sentence = trans.__(
      'The Jupyter server is not responding. Requests wait until it responds again.'
    );
    return { label, sentence, spoken: label, isWorking: false };
  }
  if (connection === 'connecting' || !worker) {
    const label = trans.__('LocalCoder: connecting');
    // Nobody needs to hear this one: what follows it is what counts.
    const sentence = trans.__('Loading the state…');
    return { label, sentence, spoken: '', isWorking: false };
  }
  const words = (isCalm: boolean): string =>
    answererLabel(answerers, workersLabel(worker, isCalm, trans), trans);
  const rest = [speedWord(worker, completion, answerers, trans), pauseWord(completion, trans)];
  const isLocal = answerers.questions === null || answerers.completion === null;
  return {
    label: [words(false), ...rest].filter(Boolean).join(' · '),
    sentence: sentenceOf(worker, answerers, trans) || words(false),
    // Each completion makes the worker busy for a moment: to say so each time would be a torment.
    spoken: [words(true), pauseWord(completion, trans)].filter(Boolean).join(' · '),
    isWorking:
      (isLocal && statesOf(worker).some(state => WORKING.has(state))) ||
      (completion?.running ?? 0) > 0
  };
}

/** All is done on this machine. */
const LOCAL: IAnswerers = { questions: null, completion: null };

/** What answers, and what completes where that is another one; short there, since a status bar is. */
function answererLabel(answerers: IAnswerers, local: string, trans: Translate): string {
  const { questions, completion } = answerers;
  if (questions?.name === completion?.name) {
    return questions === null ? local : fullName(questions);
  }
  return [
    trans.__('Questions: %1', questions?.name ?? local),
    trans.__('Completion: %1', completion?.name ?? local)
  ].join(' · ');
}

function fullName({ name, model }: IAnswerer): string {
  return [name, model].filter(Boolean).join(' · ');
}

function sentenceOf(worker: IWorkerView, answerers: IAnswerers, trans: Translate): string {
  const { questions, completion } = answerers;
  const sentences = [
    questions && trans.__('%1 answers commands and chats.', fullName(questions)),
    completion && trans.__('%1 completes while you type.', fullName(completion)),
    ...(questions && completion ? [] : [...reasonsOf(worker), worker.residency])
  ];
  return sentences.filter(Boolean).join(' ');
}

const WORKING = new Set<WorkerState>(['starting', 'loading', 'busy', 'unloading', 'backoff']);

function statesOf(worker: IWorkerView): WorkerState[] {
  return worker.several.length > 0 ? worker.several.map(one => one.state) : [worker.state];
}

function reasonsOf(worker: IWorkerView): string[] {
  return worker.several.length > 0 ? worker.several.map(one => one.reason) : [worker.reason];
}

function speedWord(
  worker: IWorkerView,
  completion: ICompletionView | null,
  answerers: IAnswerers,
  trans: Translate
): string {
  const speed = completion?.tokensPerSecond ?? 0;
  const isLoaded =
    answerers.completion !== null ||
    statesOf(worker).some(state => state === 'ready' || state === 'busy');
  return isLoaded && speed > 0 ? trans.__('%1 tokens/s', Math.round(speed)) : '';
}

function pauseWord(completion: ICompletionView | null, trans: Translate): string {
  if (completion?.isOff) {
    return trans.__('suggestions off');
  }
  return completion?.isPaused ? trans.__('suggestions paused') : '';
}

/** "Local: ready · Name of the model"; of two: "Local: ready · One, Other" or "Local: ready · One, loading · Other". */
function workersLabel(worker: IWorkerView, isCalm: boolean, trans: Translate): string {
  const calm = (state: WorkerState): WorkerState => (isCalm && state === 'busy' ? 'ready' : state);
  const names = new Map<WorkerState, string[]>();
  for (const { name, state } of worker.several) {
    names.set(calm(state), [...(names.get(calm(state)) ?? []), name]);
  }
  if (names.size === 0) {
    return workerLabel(calm(worker.state), worker.modelName, trans);
  }
  const parts = [...names].map(
    ([state, ones]) => `${stateWord(state, trans)} · ${ones.join(', ')}`
  );
  return trans.__('Local: %1', parts.join(', '));
}

/** "Local: ready · Name of the model". */
function workerLabel(state: WorkerState, model: string | null, trans: Translate): string {
  if (state === 'stopped' && model === null) {
    return trans.__('Local: no model loaded');
  }
  const word = stateWord(state, trans);
  return model === null ? trans.__('Local: %1', word) : trans.__('Local: %1 · %2', word, model);
}
