import { channelPlugin } from './connection';
import { modelsPlugin } from './models/plugin';
import { panelsPlugin } from './panels/plugin';
import { startPlugin } from './start/plugin';
import { statusPlugin } from './status/plugin';

export * from './tokens';

export default [channelPlugin, statusPlugin, panelsPlugin, modelsPlugin, startPlugin];
