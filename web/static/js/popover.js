// @ts-check
// A small window beside the button that opened it. The browser closes it on Escape and on a click elsewhere (popover=auto).

import { attr, el } from './dom.js';

/** Room to the button and to the page's edges. */
const GAP = 6;

export class Popover {
  /** @param {string} cls @param {...(Node|string)} children */
  constructor(cls, ...children) {
    this.root = el('div', `popover ${cls}`, ...children);
    this.root.popover = 'auto';
    this.root.setAttribute('role', 'dialog');
    document.body.append(this.root);
    /** @type {HTMLElement|undefined} */
    this.opener = undefined;
    this.root.addEventListener('toggle', (e) => {
      if (/** @type {ToggleEvent} */ (e).newState === 'open') return;
      if (this.opener) attr(this.opener, 'aria-expanded', 'false');
      if (this.root.contains(document.activeElement) || document.activeElement === document.body) this.opener?.focus();
      this.opener = undefined;
    });
    addEventListener('resize', () => this.place()); // a phone's keyboard is one
  }

  get open() {
    return this.root.matches(':popover-open');
  }

  /** @param {HTMLElement} opener @param {string} label */
  show(opener, label) {
    this.opener = opener;
    attr(opener, 'aria-expanded', 'true');
    attr(this.root, 'aria-label', label);
    this.root.showPopover();
    this.place();
    const all = /** @type {NodeListOf<HTMLElement>} */ (this.root.querySelectorAll('button, input'));
    [...all].find((e) => e.getClientRects().length > 0)?.focus();
  }

  /** Beside its button, within the page. */
  place() {
    if (!this.opener) return;
    const b = this.opener.getBoundingClientRect(), w = this.root.offsetWidth, h = this.root.offsetHeight;
    const below = b.bottom + GAP + h <= innerHeight || b.top < h + 2 * GAP;
    const top = below ? Math.min(b.bottom + GAP, innerHeight - h - GAP) : b.top - GAP - h;
    this.root.style.top = `${Math.max(GAP, top)}px`;
    this.root.style.left = `${Math.max(GAP, Math.min(b.left, innerWidth - w - GAP))}px`;
  }

  close() {
    if (this.open) this.root.hidePopover();
  }
}
