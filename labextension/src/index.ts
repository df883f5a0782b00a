import { chatPlugin } from './chat/plugin';
import { commandsPlugin } from './commands/plugin';
import { completionPlugin } from './completion/plugin';
import { channelPlugin } from './connection';
import { historyPlugin } from './history/plugin';
import { modelsPlugin } from './models/plugin';
import { noticesPlugin } from './notices/plugin';
import { panelsPlugin } from './panels/plugin';
import { providersPlugin } from './providers/plugin';
import { queuePlugin } from './queue/plugin';
import { startPlugin } from './start/plugin';
import { statusPlugin } from './status/plugin';

export * from './chat/token';
export * from './completion/token';
export * from './tokens';

export default [
  channelPlugin,
  completionPlugin,
  statusPlugin,
  noticesPlugin,
  panelsPlugin,
  modelsPlugin,
  chatPlugin,
  commandsPlugin,
  providersPlugin,
  queuePlugin,
  historyPlugin,
  startPlugin
];
