/** The commands for models: in the palette, and for whoever wants a key for them. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { type ICommandPalette, InputDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IPanels } from '../shared/tokens';
import type { ModelsModel } from './model';
import { answering } from './view';

export const CommandIDs = {
  open: 'localcoder:open-models',
  load: 'localcoder:load-model',
  unload: 'localcoder:unload-model',
  useProfile: 'localcoder:use-profile',
  airGap: 'localcoder:toggle-air-gap'
} as const;

/** The section of the models in the sidebar. */
export const SECTION = 'models';

export function addCommands(
  app: JupyterFrontEnd,
  model: ModelsModel,
  panels: IPanels,
  palette: ICommandPalette | null,
  trans: TranslationBundle
): void {
  const { commands } = app;
  const isConnected = (): boolean => model.channel === 'open';
  const show = (): void => {
    panels.show(SECTION);
  };
  commands.addCommand(CommandIDs.open, {
    label: trans.__('Open the Models'),
    caption: trans.__('Show the models in the sidebar: download, load, select, delete'),
    execute: show
  });
  commands.addCommand(CommandIDs.load, {
    label: trans.__('Load a Model…'),
    caption: trans.__('Load a model; pass the argument `id` to skip the dialog'),
    isEnabled: isConnected,
    describedBy: { args: { type: 'object', properties: { id: { type: 'string' } } } },
    execute: async args => {
      await model.refresh();
      const id = typeof args.id === 'string' ? args.id : await askModel(model, trans);
      if (id !== null) {
        show();
        await model.load(id);
      }
    }
  });
  commands.addCommand(CommandIDs.unload, {
    label: trans.__('Unload the Model and Free Its Memory'),
    isEnabled: () => isConnected() && (model.backend?.model ?? null) !== null,
    execute: () => model.unload()
  });
  commands.addCommand(CommandIDs.useProfile, {
    label: trans.__('Choose a Profile…'),
    caption: trans.__('Pass the argument `profile` to skip the dialog'),
    isEnabled: isConnected,
    describedBy: { args: { type: 'object', properties: { profile: { type: 'string' } } } },
    execute: async args => {
      await model.refresh();
      const profile =
        typeof args.profile === 'string' ? args.profile : await askProfile(model, trans);
      if (profile !== null) {
        await model.change({ profile });
      }
    }
  });
  commands.addCommand(CommandIDs.airGap, {
    label: trans.__('Air Gap: Block Connections to Other Machines'),
    isEnabled: isConnected,
    isToggled: () => model.settings?.settings.air_gap === true,
    execute: () => model.change({ air_gap: model.settings?.settings.air_gap !== true })
  });
  model.changed.connect(() => {
    commands.notifyCommandChanged(CommandIDs.airGap);
    commands.notifyCommandChanged(CommandIDs.unload);
  });
  for (const command of Object.values(CommandIDs)) {
    palette?.addItem({ command, category: trans.__('LocalCoder') });
  }
}

async function askModel(model: ModelsModel, trans: TranslationBundle): Promise<string | null> {
  const ready = model.models.filter(({ info }) => info.state === 'ready');
  const names = ready.map(({ info }) => info.name);
  const { code } = answering(model.list, model.settings);
  const current = Math.max(
    0,
    ready.findIndex(({ info }) => info.id === code)
  );
  const { value } = await InputDialog.getItem({
    title: trans.__('Load a model'),
    label: trans.__('Models on this machine'),
    items: names.length > 0 ? names : [trans.__('There is no model on this machine yet.')],
    current
  });
  return ready.find(({ info }) => info.name === value)?.info.id ?? null;
}

async function askProfile(model: ModelsModel, trans: TranslationBundle): Promise<string | null> {
  const items = ['auto', ...(model.list?.profiles ?? []).map(({ name }) => name)];
  const { value } = await InputDialog.getItem({
    title: trans.__('Choose a profile'),
    items,
    current: Math.max(0, items.indexOf(model.settings?.settings.profile ?? 'auto'))
  });
  return value;
}
