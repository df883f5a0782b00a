/**
 * Brings the focus back when what had it is taken away: else it would belong to the page, and who uses the keyboard
 * would begin again at its top.
 */

export class FocusKeeper {
  /**
   * @param node What the focus stays in.
   * @param _home What gets it.
   */
  constructor(
    private readonly _node: HTMLElement,
    private readonly _home: () => HTMLElement = () => _node
  ) {
    _node.addEventListener('focusin', ({ target }) => {
      this._last = target instanceof Node ? target : null;
    });
    _node.addEventListener('focusout', ({ relatedTarget }) => {
      // To nobody: that is also how the focus leaves what is being taken away.
      if (relatedTarget !== null) {
        this._last = null;
      }
    });
    new MutationObserver(() => {
      if (this._isLost) {
        this._last = null;
        this._home().focus();
      }
    }).observe(_node, { childList: true, subtree: true });
  }

  /** Whether the focus is in it, or was until what had it was taken away. */
  get isHeld(): boolean {
    return this._isLost || this._node.contains(document.activeElement);
  }

  private get _isLost(): boolean {
    const { activeElement, body } = document;
    const isGone = this._last !== null && !this._last.isConnected;
    return isGone && (activeElement === null || activeElement === body);
  }

  private _last: Node | null = null;
}
