/** How the channel is opened in JupyterLab: address, token, and the page's own signs of life. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { OPERATIONS } from '../../contract';
import { IChannel } from '../tokens';
import { Channel } from './channel';
import { dialer } from './socket';

const ROOT = 'localcoder';

/** Address of the websocket, with the token where the server settings want it there. */
export function channelUrl(settings: ServerConnection.ISettings): string {
  const url = URLExt.join(settings.wsUrl, ROOT, 'channel');
  return settings.appendToken && settings.token !== ''
    ? `${url}?token=${encodeURIComponent(settings.token)}`
    : url;
}

/** Whether the server has the extension: any answer but "no such page" says so. */
async function isServed(settings: ServerConnection.ISettings): Promise<boolean> {
  const url = URLExt.join(settings.baseUrl, ROOT, OPERATIONS['backend:ping'].path);
  const response = await ServerConnection.makeRequest(url, {}, settings);
  return response.status !== 404;
}

export const channelPlugin: JupyterFrontEndPlugin<IChannel> = {
  id: 'jupyter-localcoder:channel',
  description: 'Provides the connection to the LocalCoder extension of the Jupyter server.',
  autoStart: true,
  provides: IChannel,
  activate: (app: JupyterFrontEnd): IChannel => {
    const settings = app.serviceManager.serverSettings;
    const channel = new Channel({
      dial: dialer(settings.WebSocket, () => channelUrl(settings)),
      isServed: () => isServed(settings)
    });
    // A laptop that wakes up, or a page that is looked at again, should not sit out a long wait.
    const retry = (): void => {
      if (channel.state === 'away' && document.visibilityState === 'visible') {
        channel.connect();
      }
    };
    window.addEventListener('online', retry);
    document.addEventListener('visibilitychange', retry);
    channel.connect();
    return channel;
  }
};
