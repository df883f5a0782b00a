/** Shows Markdown that still comes, through JupyterLab's renderer. */

import { type IRenderMimeRegistry, MimeModel, type IRenderMime } from '@jupyterlab/rendermime';
import { PanelLayout, Widget } from '@lumino/widgets';

import { inertMarkdown, InertSanitizer } from './inert';
import { withFormulas } from './math';

const MIME_TYPE = 'text/markdown';
/** A text is rendered anew, whole, at most this often. */
const PAUSE_MS = 100;

export class MarkdownView extends Widget {
  /**
   * @param _rendered Called after each rendering, with the node.
   */
  constructor(
    rendermime: IRenderMimeRegistry,
    private readonly _rendered?: (node: HTMLElement) => void
  ) {
    super();
    this.addClass('jp-LocalCoder-Markdown');
    const inert = rendermime.clone({ sanitizer: new InertSanitizer(rendermime.sanitizer) });
    this._renderer = inert.createRenderer(MIME_TYPE);
    const layout = new PanelLayout();
    layout.addWidget(this._renderer);
    this.layout = layout;
  }

  /** Show a text; of several in short order only the last is shown. */
  setText(text: string): void {
    if (text === this._wanted) {
      return;
    }
    this._wanted = text;
    if (!this._isRendering) {
      void this._render();
    }
  }

  private async _render(): Promise<void> {
    this._isRendering = true;
    let shown: string | null = null;
    while (shown !== this._wanted && !this.isDisposed) {
      shown = this._wanted;
      await this._renderer.renderModel(
        new MimeModel({ data: { [MIME_TYPE]: inertMarkdown(withFormulas(shown)) }, trusted: false })
      );
      this._rendered?.(this._renderer.node);
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
    }
    this._isRendering = false;
  }

  private readonly _renderer: IRenderMime.IRenderer;
  private _wanted = '';
  private _isRendering = false;
}
