import { chatPlugin } from './chat/plugin';
import { commandsPlugin } from './commands/plugin';
import { completionPlugin } from './completion/plugin';
import { historyPlugin } from './history/plugin';
import { modelsPlugin } from './models/plugin';
import { noticesPlugin } from './notices/plugin';
import { panelsPlugin } from './panels/plugin';
import { providersPlugin } from './providers/plugin';
import { queuePlugin } from './queue/plugin';
import { channelPlugin } from './shared/connection/plugin';
import { startPlugin } from './start/plugin';
import { statusPlugin } from './status/plugin';

export * from './shared/tokens';

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
