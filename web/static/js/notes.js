// @ts-check
// What happened, in words, newest first.

import { el } from './dom.js';
import { clock } from './words.js';

/** So many are shown. */
const SHOWN = 12;
/** @type {Record<string, string>} */
const TONES = { good: '✓', bad: '✕', plain: '·' };

/** A restarted server counts from 1 again: the number alone is no key.
 * @param {import('./messages.js').Note} n */
const keyOf = (n) => `${n.seq}|${n.at}|${n.text}`;

export class Notes {
  /** @param {Element} parent */
  constructor(parent) {
    this.parent = parent;
    /** @type {Map<string, HTMLElement>} */
    this.items = new Map();
  }

  /** @param {import('./world.js').World} w */
  render(w) {
    const shown = w.notes.slice(-SHOWN), keys = new Set(shown.map(keyOf));
    for (const [key, li] of this.items) {
      if (keys.has(key)) continue;
      li.remove();
      this.items.delete(key);
    }
    for (const n of shown) {
      if (this.items.has(keyOf(n))) continue;
      const tone = n.tone in TONES ? n.tone : 'plain';
      const li = el('li', `note note-${tone}`, el('time', '', clock(n.at)), el('i', '', TONES[tone]), el('span', '', n.text));
      this.items.set(keyOf(n), li);
      this.parent.prepend(li);
    }
    this.parent.classList.toggle('empty', shown.length === 0);
  }
}
