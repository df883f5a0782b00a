/** Ids that several plugins use: of settings and of commands. */

export const COMPLETION_COMMANDS = {
  acceptWord: 'localcoder:accept-word',
  acceptLine: 'localcoder:accept-line',
  dismiss: 'localcoder:dismiss',
  pause: 'localcoder:toggle-completion',
  pauseNotebook: 'localcoder:toggle-completion-in-notebook',
  inspect: 'localcoder:inspect-prompt'
} as const;

/** The settings of all of this extension: schema/plugin.json. */
export const SETTINGS_ID = 'jupyter-localcoder:plugin';
