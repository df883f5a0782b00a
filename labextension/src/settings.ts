/** The settings of all of this extension: schema/plugin.json. */
export const SETTINGS_ID = 'jupyter-localcoder:plugin';
