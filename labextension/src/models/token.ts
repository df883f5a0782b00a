/** The state of the models, for the plugins of this extension. */

import { Token } from '@lumino/coreutils';

import type { ModelsModel } from './model';

export const IModels = new Token<ModelsModel>(
  'jupyter-localcoder:IModels',
  'State of the models, the settings and the worker.'
);
