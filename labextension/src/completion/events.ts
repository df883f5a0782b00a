/** What happens in the page, and what completion does about it. */

import type { IConsoleTracker } from '@jupyterlab/console';
import type { IEditorTracker } from '@jupyterlab/fileeditor';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import type { KernelKnowledge } from './kernel/kernels';
import type { CellMirror } from './notebook/mirror';
import type { WarmAhead } from './requests/warm';

export interface IPageParts {
  notebooks: INotebookTracker | null;
  consoles: IConsoleTracker | null;
  files: IEditorTracker | null;
  kernels: KernelKnowledge;
  mirror: CellMirror;
  warm: WarmAhead;
  /** Nothing is wanted any more. */
  stop: () => void;
}

export function followPage(parts: IPageParts): void {
  const { notebooks, consoles, files, kernels, mirror, warm, stop } = parts;
  const opened = (panel: NotebookPanel): void => {
    kernels.follow(panel.sessionContext);
    panel.disposed.connect(stop);
    void panel.context.ready.then(() => {
      if (!panel.isDisposed) {
        mirror.prepare(panel.content.widgets.map(cell => cell.model));
        warm.soon();
      }
    });
  };
  notebooks?.forEach(opened);
  notebooks?.widgetAdded.connect((_, panel) => {
    opened(panel);
  });
  notebooks?.currentChanged.connect(() => {
    stop();
    warm.soon();
  });
  notebooks?.activeCellChanged.connect(() => {
    stop();
    warm.soon();
  });
  consoles?.widgetAdded.connect((_, panel) => {
    kernels.follow(panel.sessionContext);
    panel.disposed.connect(stop);
  });
  files?.widgetAdded.connect((_, panel) => {
    panel.disposed.connect(stop);
  });
  kernels.settled.connect((_, session) => {
    if (notebooks?.currentWidget?.sessionContext === session) {
      warm.soon();
    }
  });
}
