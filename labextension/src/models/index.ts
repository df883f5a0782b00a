/** What the start page shows of the models, and the state behind it. */

export { EngineError } from './engineError';
export { fitText } from './fit';
export { ImportForm } from './import';
export { LicenseText, Origins } from './license';
export type { ModelsModel } from './model';
export { ProgressBar } from './progressBar';
export { pinnedText } from './settings';
export type { IModelView } from './view';
