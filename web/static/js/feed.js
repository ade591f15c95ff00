// @ts-check
// The newest events, newest first.

import { el } from './dom.js';
import { clock, cut } from './words.js';
import { colourOf } from './world.js';

/** So many are shown. */
const SHOWN = 14;

/** A restarted server counts from 1 again: the number alone is no key.
 * @param {import('./messages.js').Event} e */
const keyOf = (e) => `${e.seq}|${e.stream}|${e.entry_id}`;

export class Feed {
  /** @param {Element} parent */
  constructor(parent) {
    this.parent = parent;
    /** @type {Map<string, HTMLElement>} */
    this.items = new Map();
  }

  /** @param {import('./world.js').World} w */
  render(w) {
    const shown = w.events.slice(-SHOWN), keys = new Set(shown.map(keyOf));
    for (const [key, li] of this.items) {
      if (keys.has(key)) continue;
      li.remove();
      this.items.delete(key);
    }
    for (const e of shown) {
      if (this.items.has(keyOf(e))) continue;
      const type = el('span', 'event-type', e.problem ? `✕ ${e.problem}` : e.type || 'no type');
      const li = el('li', 'event', el('time', '', clock(e.time)), el('i', `swatch back-${colourOf(w, e.stream)}`), type,
        el('span', 'event-subject', `${cut(e.subject, 24)}${e.version > 0 ? ` v${e.version}` : ''}`));
      li.title = `${e.type} of ${e.subject}, by ${e.source || e.node || 'somebody'}, on stream ${e.stream} as ${e.entry_id}`;
      li.dataset.event = String(e.seq);
      this.items.set(keyOf(e), li);
      this.parent.prepend(li);
    }
    this.parent.classList.toggle('empty', shown.length === 0);
  }
}
