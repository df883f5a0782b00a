/** Parts of the extension that are loaded when they are first used: the server may be gone by then. */

import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

/** Load a part; null where that does not work, which the person is then told. */
export async function lazyLoad<T>(
  load: () => Promise<T>,
  trans: TranslationBundle
): Promise<T | null> {
  try {
    return await load();
  } catch (reason) {
    console.warn(reason);
    Notification.error(
      trans.__(
        'A part of LocalCoder could not be loaded from the Jupyter server. Check that the server is ' +
          'running, and try again.'
      ),
      { autoClose: 10_000 }
    );
    return null;
  }
}
