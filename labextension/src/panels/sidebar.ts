/** The sidebar: tabs whose contents are made when they are first shown. */

import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import { type ISignal, Signal } from '@lumino/signaling';
import { Panel, PanelLayout, TabPanel, Widget } from '@lumino/widgets';

import type { IPanelSection } from '../shared/tokens';

export class Sidebar extends Widget {
  constructor() {
    super();
    this.id = 'jp-LocalCoder-sidebar';
    this.addClass('jp-LocalCoder-Sidebar');
    const layout = new PanelLayout();
    layout.addWidget(this._tabs);
    this.layout = layout;
    this._tabs.currentChanged.connect(() => {
      this._fill();
    });
    this._tabs.tabBar.hide();
  }

  add(section: IPanelSection): IDisposable {
    const holder = new SectionPlaceholder(section);
    holder.title.label = section.label;
    holder.shown.connect(() => {
      this._shown.emit(section.id);
    });
    const later = this._tabs.widgets.findIndex(
      widget => (widget as SectionPlaceholder).section.rank > section.rank
    );
    const index = later < 0 ? this._tabs.widgets.length : later;
    this._tabs.insertWidget(index, holder);
    // The first tab of all is the one to begin with, whichever plugin comes first.
    if (!this._wasOpened) {
      this._tabs.currentIndex = 0;
    }
    this._showTabs();
    return new DisposableDelegate(() => {
      holder.dispose();
      this._showTabs();
    });
  }

  /** A section has come before the person's eyes: its id. */
  get shown(): ISignal<this, string> {
    return this._shown;
  }

  isShown(id: string): boolean {
    return this._find(id)?.isVisible === true;
  }

  /** So many things in a section are new; answers how many are in all of them. */
  setNew(id: string, count: number): number {
    const holder = this._find(id);
    if (holder) {
      holder.news = count;
      const { label } = holder.section;
      holder.title.label = count > 0 ? `${label} (${count})` : label;
    }
    return this._tabs.widgets.reduce((sum, widget) => sum + (widget as SectionPlaceholder).news, 0);
  }

  /** Bring a section to the front; what it shows is made now, if it was not yet. */
  select(id: string): void {
    this._wasOpened = true;
    this._tabs.currentWidget = this._find(id) ?? this._tabs.currentWidget;
  }

  protected override onBeforeShow(message: Message): void {
    super.onBeforeShow(message);
    this._wasOpened = true;
    this._fill();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this._tabs.currentWidget?.activate();
  }

  private _fill(): void {
    if (this._wasOpened) {
      (this._tabs.currentWidget as SectionPlaceholder | null)?.fill();
    }
  }

  private _find(id: string): SectionPlaceholder | undefined {
    return (this._tabs.widgets as readonly SectionPlaceholder[]).find(
      ({ section }) => section.id === id
    );
  }

  /** One section alone needs no tabs. */
  private _showTabs(): void {
    this._tabs.tabBar.setHidden(this._tabs.widgets.length < 2);
  }

  private readonly _tabs = new TabPanel({ tabsMovable: false });
  private readonly _shown = new Signal<this, string>(this);
  private _wasOpened = false;
}

/** Holds the place of a section whose content is not made yet. */
class SectionPlaceholder extends Panel {
  constructor(readonly section: IPanelSection) {
    super();
    this.addClass('jp-LocalCoder-Section');
    // The panel can always take the focus, also while its content is on its way.
    this.node.tabIndex = -1;
  }

  /** How many things in it are new. */
  news = 0;

  get shown(): ISignal<this, void> {
    return this._shown;
  }

  fill(): void {
    if (!this._isFilled) {
      this._isFilled = true;
      void this._create();
    }
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._shown.emit();
  }

  protected override onActivateRequest(): void {
    const content = this.widgets[0];
    if (content) {
      content.activate();
    } else {
      this._activateLater = true;
      this.node.focus();
    }
  }

  private async _create(): Promise<void> {
    const content = await this.section.create();
    if (this.isDisposed) {
      content.dispose();
      return;
    }
    this.addWidget(content);
    if (this._activateLater) {
      content.activate();
    }
  }

  private readonly _shown = new Signal<this, void>(this);
  private _isFilled = false;
  private _activateLater = false;
}
