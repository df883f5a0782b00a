/**
 * The way from an empty machine to a first completion, as steps.
 *
 * A step is left by what a person does, or by what the service tells: a download that has ended leads on to
 * the load, a load to the try. Nothing is fetched that no button was pressed for.
 */

import { type ISignal, Signal } from '@lumino/signaling';
import type { IDisposable } from '@lumino/disposable';

import type { Profile } from '../contract';
import type { IModelView, ModelsModel } from '../models';

export const STEPS = ['about', 'choose', 'licence', 'download', 'warm', 'try'] as const;
export type Step = (typeof STEPS)[number];

export class StartModel implements IDisposable {
  constructor(readonly models: ModelsModel) {
    models.changed.connect(this._follow);
  }

  get step(): Step {
    return this._step;
  }

  /** Emitted when the step or the choice has changed, and whenever what is known of the models has. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.models.changed.disconnect(this._follow);
    Signal.clearData(this);
  }

  /** The profile that was chosen; before that, the one that is recommended. */
  get profile(): Profile | null {
    const { list } = this.models;
    const name = this._profile ?? list?.recommended_profile;
    return list?.profiles.find(profile => profile.name === name) ?? null;
  }

  get isRecommended(): boolean {
    return this.profile?.name === this.models.list?.recommended_profile;
  }

  /** The model that is set up: that of the profile, or one that was imported. */
  get view(): IModelView | null {
    const id = this._imported ?? this.profile?.model;
    return this.models.models.find(({ info }) => info.id === id) ?? null;
  }

  choose(profile: string): void {
    this._profile = profile;
    this._imported = null;
    this._changed.emit();
  }

  /**
   * Go on with a model that was taken in from a file.
   *
   * Nothing is pinned: it answers where nothing better is here, and what is downloaded later takes its place.
   */
  async useImported(id: string): Promise<void> {
    this._imported = id;
    await this.models.refresh();
    if (this.models.list?.code_model === '') {
      // What was chosen is not on this machine.
      await this.models.change({ profile: 'auto', model: null, general_model: null });
    }
    this._warmUp();
  }

  /** Id of the model that answers in place of the one that was imported; empty where that one does. */
  get instead(): string {
    const answers = this.models.list?.code_model ?? '';
    return this._imported !== null && answers !== this._imported ? answers : '';
  }

  /** Whether the model that is set up was pinned: nothing better takes its place by itself. */
  get isPinned(): boolean {
    const pinned = this.models.settings?.settings.model ?? '';
    return pinned !== '' && pinned === this.view?.info.id;
  }

  /** Let the imported model answer everything. Both uses: two models would take turns in memory. */
  async pinImported(): Promise<void> {
    if (this._imported !== null) {
      await this.models.change({ model: this._imported, general_model: this._imported });
    }
  }

  back(): void {
    this._go(this._step === 'choose' ? 'about' : 'choose');
  }

  /** Leave the step that is shown by its main button. */
  next(): void {
    switch (this._step) {
      case 'about':
        this._go('choose');
        return;
      case 'choose':
        this._leaveChoice();
        return;
      case 'licence':
        this._download();
        return;
      case 'download':
        this._download();
        return;
      case 'warm':
        this._warmUp();
        return;
      case 'try':
        return;
    }
  }

  private _leaveChoice(): void {
    const { view } = this;
    if (!view) {
      return;
    }
    void this._keepProfile();
    if (view.info.state === 'ready') {
      this._warmUp();
    } else if (view.info.license_accepted) {
      this._download();
    } else {
      this._go('licence');
    }
  }

  /** What is recommended needs no setting: `auto` chooses it, and chooses better when the machine changes. */
  private async _keepProfile(): Promise<void> {
    const wanted = this.isRecommended ? 'auto' : this.profile?.name;
    const chosen = this.models.settings?.settings;
    if (wanted === undefined || !chosen) {
      return;
    }
    if (chosen.profile !== wanted || chosen.model !== '' || chosen.general_model !== '') {
      // Models of one's own choice would go before those of the profile.
      const general = chosen.general_model !== '' ? { general_model: null } : {};
      await this.models.change({ profile: wanted, model: null, ...general });
    }
  }

  private _download(): void {
    const { view } = this;
    if (view) {
      const license = this.models.licenseOf(view.info)?.sha256 ?? '';
      this._go('download');
      void this.models.download(view.info.id, license);
    }
  }

  private _warmUp(): void {
    const { view } = this;
    if (view) {
      this._go('warm');
      if (!view.info.loaded) {
        void this.models.load(view.info.id);
      }
      this._follow();
    }
  }

  private readonly _follow = (): void => {
    const { view } = this;
    const isHere = view?.info.state === 'ready' && view.progress === null;
    if (this._step === 'download' && isHere) {
      this._warmUp();
      return;
    }
    if (this._step === 'warm' && view?.info.loaded) {
      this._go('try');
      return;
    }
    this._changed.emit();
  };

  private _go(step: Step): void {
    this._step = step;
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _step: Step = 'about';
  private _profile: string | null = null;
  private _imported: string | null = null;
  private _isDisposed = false;
}
