/** What an Escape closes, where several things are open that close with it. */

/**
 * Whose an Escape is. `list`: it closes the list of completions. `tooltip`: it closes the tooltip. `ghost`: it
 * dismisses the ghost text. `ghost-and-vim`: it does, and vim leaves its insert mode. `other`: what JupyterLab does.
 */
export type EscapeOwner = 'list' | 'tooltip' | 'ghost' | 'ghost-and-vim' | 'other';

/** What an Escape finds in the editor in use. */
export interface IEscapeSituation {
  /** The key is a shortcut of the command that dismisses the ghost text which is shown. */
  isDismissal: boolean;
  hasList: boolean;
  hasTooltip: boolean;
  isVimInserting: boolean;
}

/** One Escape closes one thing, the one in front first; only vim's mode is no thing to close. */
export function escapeOwner(found: IEscapeSituation): EscapeOwner {
  if (found.hasList) {
    return 'list';
  }
  if (!found.isDismissal) {
    return 'other';
  }
  if (found.hasTooltip) {
    return 'tooltip';
  }
  return found.isVimInserting ? 'ghost-and-vim' : 'ghost';
}
