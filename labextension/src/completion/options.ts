/** What the settings say about completion: `schema/plugin.json`, read once for all. */

export type Mode = 'automatic' | 'on-demand' | 'off';

/** How many lines a suggestion may have: as the place of the cursor says, or always the same. */
export type Lines = 'auto' | 'single' | 'multiple';

export interface ICompletionOptions {
  readonly mode: Mode;
  readonly lines: Lines;
  /** Also where nothing stands before the cursor on its line: there JupyterLab never asks by itself. */
  readonly newLines: boolean;
  /** Characters, white space not counted, that must stand in the cell before the cursor. */
  readonly minimumPrefix: number;
  /** Time, in milliseconds, from a key to the request. */
  readonly typingDelayMs: number;
  /** Suggestions to choose from where they are asked for by a shortcut; 1: there is no choice. */
  readonly alternatives: number;
  /** Names of languages in small letters. */
  readonly languagesOff: ReadonlySet<string>;
  readonly kernelKnowledge: boolean;
  /** Values stand in them. */
  readonly dataFrameHeads: boolean;
  readonly warmAhead: boolean;
  readonly lookAhead: boolean;
  readonly announce: boolean;
}

export const DEFAULTS: ICompletionOptions = {
  mode: 'automatic',
  lines: 'auto',
  newLines: true,
  minimumPrefix: 2,
  typingDelayMs: 0,
  alternatives: 3,
  languagesOff: new Set(['markdown', 'text']),
  kernelKnowledge: true,
  dataFrameHeads: false,
  warmAhead: true,
  lookAhead: true,
  announce: true
};

/** Options of the settings as they are composed; what is not what it should be gets its default. */
export function readOptions(settings: Record<string, unknown>): ICompletionOptions {
  const off = settings.completionLanguagesOff;
  return {
    mode: choice(settings.completionMode, ['automatic', 'on-demand', 'off'], DEFAULTS.mode),
    lines: choice(settings.completionLines, ['auto', 'single', 'multiple'], DEFAULTS.lines),
    newLines: flag(settings.completionAtNewLines, DEFAULTS.newLines),
    minimumPrefix: count(settings.completionMinimumPrefix, DEFAULTS.minimumPrefix),
    typingDelayMs: count(settings.completionTypingDelay, DEFAULTS.typingDelayMs),
    alternatives: Math.max(1, count(settings.completionAlternatives, DEFAULTS.alternatives)),
    languagesOff: Array.isArray(off)
      ? new Set(off.map(name => String(name).trim().toLowerCase()))
      : DEFAULTS.languagesOff,
    kernelKnowledge: flag(settings.kernelKnowledge, DEFAULTS.kernelKnowledge),
    dataFrameHeads: flag(settings.dataFrameHeads, DEFAULTS.dataFrameHeads),
    warmAhead: flag(settings.warmAhead, DEFAULTS.warmAhead),
    lookAhead: flag(settings.completionLookAhead, DEFAULTS.lookAhead),
    announce: flag(settings.announceCompletions, DEFAULTS.announce)
  };
}

function choice<T extends string>(value: unknown, all: readonly T[], otherwise: T): T {
  return all.find(one => one === value) ?? otherwise;
}

function flag(value: unknown, otherwise: boolean): boolean {
  return typeof value === 'boolean' ? value : otherwise;
}

function count(value: unknown, otherwise: number): number {
  return typeof value === 'number' && value >= 0 ? Math.round(value) : otherwise;
}
