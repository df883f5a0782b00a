import { channelPlugin } from './connection';
import { modelsPlugin } from './models/plugin';
import { panelsPlugin } from './panels/plugin';
import { statusPlugin } from './status/plugin';

export * from './tokens';

export default [channelPlugin, statusPlugin, panelsPlugin, modelsPlugin];
