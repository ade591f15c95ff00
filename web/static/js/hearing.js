// @ts-check
// Puts the map in words into the page: within each node, hidden from the eye, what its lines show; what ails it is also its
// description, which is read when it gets the focus.

import { attr, el, text } from './dom.js';
import { told } from './spoken.js';

/** Words are made anew at most so often, ms. */
const EVERY = 1000;

/** @typedef {{ails: HTMLElement, does: HTMLElement}} Words */

export class Hearing {
  constructor() {
    this.at = -Infinity;
    this.made = 0;
    /** @type {WeakMap<HTMLElement, Words>} */
    this.words = new WeakMap();
  }

  /** @param {import('./world.js').World} w */
  render(w) {
    const now = performance.now();
    if (now - this.at < EVERY) return;
    this.at = now;
    const all = told(w);
    for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('#cards > [data-node]'))) {
      const t = all.get(node.dataset.node ?? '');
      let words = this.words.get(node);
      if (!t && !words) continue;
      if (!words) {
        words = { ails: el('span'), does: el('span') };
        words.ails.id = `ails-${this.made++}`;
        node.append(el('p', 'hidden', words.ails, ' ', words.does));
        this.words.set(node, words);
      }
      text(words.ails, t?.ails ?? '');
      text(words.does, t?.does ?? '');
      attr(node, 'aria-describedby', t?.ails ? words.ails.id : null);
    }
  }
}
