/** Puts completion together, and connects it to what happens in the page. */

import type { EditorView } from '@codemirror/view';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorExtensionRegistry, IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { ICompletionProviderManager, IInlineCompleterFactory } from '@jupyterlab/completer';
import { IConsoleTracker } from '@jupyterlab/console';
import { IEditorTracker } from '@jupyterlab/fileeditor';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { COMPLETION_COMMANDS, SETTINGS_ID } from '../shared/ids';
import { IChannel, ICompletion } from '../shared/tokens';
import { logoIcon } from '../shared/ui/icons';
import { addCommands } from './commands';
import { Completion } from './completion';
import { Control } from './control';
import { Announcer } from './editor/announcer';
import { Ghosts } from './editor/ghosts';
import { listen } from './editor/keys';
import { NewLines } from './editor/newlines';
import { GhostTextProvider } from './editor/provider';
import {
  anchorOf,
  atNextCode,
  findSpot,
  type IPlaces,
  type ISpot,
  notebookIn,
  requestOf
} from './editor/spot';
import { watch } from './editor/watch';
import { followPage } from './events';
import { KernelKnowledge } from './kernel/kernels';
import { CellMirror } from './notebook/mirror';
import { tell } from './notices';
import { DEFAULTS, readOptions } from './options';
import { Outcomes } from './outcomes';
import { Asker, type CompletionCause } from './requests/asker';
import { Power } from './requests/power';
import { RequestGate } from './requests/requestGate';
import { WarmAhead } from './requests/warm';

export const completionPlugin: JupyterFrontEndPlugin<ICompletion> = {
  id: 'jupyter-localcoder:completion',
  description: 'Shows inline suggestions (ghost text) at the cursor.',
  autoStart: true,
  provides: ICompletion,
  requires: [IChannel, ICompletionProviderManager],
  optional: [
    IInlineCompleterFactory,
    IEditorExtensionRegistry,
    IEditorLanguageRegistry,
    INotebookTracker,
    IConsoleTracker,
    IEditorTracker,
    ISettingRegistry,
    ICommandPalette,
    ITranslator
  ],
  activate
};

function activate(
  app: JupyterFrontEnd,
  channel: IChannel,
  manager: ICompletionProviderManager,
  factory: IInlineCompleterFactory | null,
  extensions: IEditorExtensionRegistry | null,
  languages: IEditorLanguageRegistry | null,
  notebooks: INotebookTracker | null,
  consoles: IConsoleTracker | null,
  files: IEditorTracker | null,
  settingRegistry: ISettingRegistry | null,
  palette: ICommandPalette | null,
  translator: ITranslator | null
): ICompletion {
  const trans = (translator ?? nullTranslator).load('jupyter_localcoder');
  const control = new Control();
  const gate = new RequestGate(channel, trouble => {
    tell(trouble, app.commands, trans);
  });
  const power = new Power(navigator);
  const asker = new Asker({
    channel,
    gate,
    options: () => control.options,
    isOnBattery: () => power.isOnBattery
  });
  const ghosts = new Ghosts(factory);
  const kernels = new KernelKnowledge(
    channel,
    () => control.isOn && control.options.kernelKnowledge && channel.state === 'open'
  );
  const mirror = new CellMirror();
  control.changed.connect(() => {
    mirror.setHeads(control.options.dataFrameHeads);
    kernels.wake();
    gate.open();
    if (!control.isOn) {
      ghosts.dismiss();
    }
  });
  channel.stateChanged.connect(() => {
    kernels.wake();
  });
  const places: IPlaces = { notebooks, consoles, files, languages, mirror, kernels };
  const here = (): ISpot | null => findSpot(app.shell.currentWidget, places);
  const provider = new GhostTextProvider({
    name: trans.__('LocalCoder'),
    icon: logoIcon,
    asker,
    control,
    ghosts,
    findSpot: widget => findSpot(widget, places)
  });
  // At once: JupyterLab reads the providers and their defaults when the page is restored, and never again.
  manager.registerInlineProvider(provider);

  const invoke = (view: object, cause: CompletionCause): void => {
    const spot = here();
    if (spot?.view === view) {
      provider.because(cause, () => manager.inline?.invoke(spot.widget.id));
    }
  };
  const announcer = new Announcer(trans, () => control.options.announce);
  const newLines = new NewLines(control, view => {
    invoke(view, 'new-line');
  });
  const warm = new WarmAhead(channel, () => control.isOn && control.options.warmAhead, {
    atCursor: () => {
      const spot = here();
      const isWanted = spot && !spot.isOff && !control.options.languagesOff.has(spot.language);
      return isWanted ? requestOf(spot, anchorOf(spot)) : null;
    },
    notebook: () => notebookIn(app.shell.currentWidget, places),
    atNextCode: () => atNextCode(app.shell.currentWidget, places, control.options.languagesOff)
  });
  // A notebook that JupyterLab restores may be there before the settings and the connection are.
  control.changed.connect(() => {
    warm.soon();
  });
  channel.stateChanged.connect(() => {
    warm.soon();
  });
  const stop = (): void => {
    newLines.drop();
    announcer.hush();
    asker.stop('user');
  };
  asker.alternativeCame.connect((_, ask) => {
    invoke(ask.anchor.editor, ask.cause);
  });
  provider.shown.connect((_, { text, doubt }) => {
    announcer.say(text, doubt);
  });
  const outcomes = new Outcomes(channel, () => ghosts.text);
  provider.appeared.connect((_, { suggestion, language }) => {
    outcomes.appeared(suggestion, language);
  });
  ghosts.accepted.connect((_, { part, text, source }) => {
    outcomes.accepted(part, text, source);
  });
  const extension = watch({
    changed: (view: EditorView) => {
      // JupyterLab asks with most keys, but not where the line is blank before the cursor.
      if (asker.running > 0 && view.hasFocus) {
        asker.follow(anchorOf({ view }));
      }
    },
    typed: (view: EditorView, isInsertion: boolean) => {
      warm.drop();
      announcer.hush();
      newLines.drop();
      if (isInsertion) {
        newLines.typed(view);
      }
    },
    moved: (view: EditorView, isOtherLine: boolean) => {
      stop();
      if (isOtherLine) {
        warm.soon(); // What stands after the cursor is another text now.
      }
      // Not from within the update that told us.
      queueMicrotask(() => {
        ghosts.dismiss(view);
      });
    },
    left: stop
  });
  extensions?.addExtension({
    name: 'localcoder-watch',
    factory: () => ({ instance: () => extension, reconfigure: () => null })
  });
  const dismiss = (): void => {
    outcomes.dismissed(ghosts.text);
    stop();
    ghosts.dismiss();
  };
  listen(
    app.commands,
    [COMPLETION_COMMANDS.acceptWord, COMPLETION_COMMANDS.acceptLine, COMPLETION_COMMANDS.dismiss],
    { dismiss: COMPLETION_COMMANDS.dismiss, view: () => here()?.view ?? null, escaped: dismiss }
  );
  followPage({ notebooks, consoles, files, kernels, mirror, warm, stop });
  addCommands({
    app,
    control,
    ghosts,
    notebooks,
    palette,
    trans,
    resumed: () => {
      gate.open();
    },
    dismiss,
    inspect: () => {
      // Seldom wanted, so loaded only then.
      void import('../inspector/dialog').then(({ showInspector }) => showInspector(channel, trans));
    }
  });
  followSettings(control, settingRegistry);
  return new Completion(control, asker, kernels);
}

function followSettings(control: Control, registry: ISettingRegistry | null): void {
  const follow = (settings: ISettingRegistry.ISettings): void => {
    control.setOptions(readOptions(settings.composite));
  };
  const loading = registry?.load(SETTINGS_ID) ?? Promise.reject(new Error('no settings'));
  loading.then(
    settings => {
      settings.changed.connect(follow);
      follow(settings);
    },
    () => {
      control.setOptions(DEFAULTS);
    }
  );
}
