// @ts-check
// What happened, in words, newest first.

import { el } from './dom.js';
import { clock } from './words.js';

/** So many are shown. */
const SHOWN = 12;
/** @type {Record<string, string>} */
const TONES = { good: '✓', bad: '✕', plain: '·' };

export class Notes {
  /** @param {Element} parent */
  constructor(parent) {
    this.parent = parent;
    /** @type {Map<number, HTMLElement>} */
    this.items = new Map();
  }

  /** @param {import('./world.js').World} w */
  render(w) {
    const shown = w.notes.slice(-SHOWN), seqs = new Set(shown.map((n) => n.seq));
    for (const [seq, li] of this.items) {
      if (seqs.has(seq)) continue;
      li.remove();
      this.items.delete(seq);
    }
    for (const n of shown) {
      if (this.items.has(n.seq)) continue;
      const tone = n.tone in TONES ? n.tone : 'plain';
      const li = el('li', `note note-${tone}`, el('time', '', clock(n.at)), el('i', '', TONES[tone]), el('span', '', n.text));
      this.items.set(n.seq, li);
      this.parent.prepend(li);
    }
    this.parent.classList.toggle('empty', shown.length === 0);
  }
}
