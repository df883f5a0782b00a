/** Brings the focus back to a panel when what had it is taken away: else it would belong to the page. */

export class FocusKeeper {
  constructor(private readonly _node: HTMLElement) {
    _node.addEventListener('focusin', ({ target }) => {
      this._last = target instanceof Node ? target : null;
    });
    _node.addEventListener('focusout', ({ relatedTarget }) => {
      // To nobody: that is also how the focus leaves what is being taken away.
      if (relatedTarget !== null) {
        this._last = null;
      }
    });
  }

  /** To be called when the panel has been drawn anew. */
  check(): void {
    const { activeElement, body } = this._node.ownerDocument;
    const isGone = this._last !== null && !this._last.isConnected;
    if (isGone && (activeElement === null || activeElement === body)) {
      this._last = null;
      this._node.focus();
    }
  }

  private _last: Node | null = null;
}
