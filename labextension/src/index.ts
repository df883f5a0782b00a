import { channelPlugin } from './connection';
import { statusPlugin } from './status/plugin';

export * from './tokens';

export default [channelPlugin, statusPlugin];
