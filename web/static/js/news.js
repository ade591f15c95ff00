// @ts-check
// Deaths and returns: a ring around the node, once, and a sentence that is read out.

import { el, put, text } from './dom.js';
import { and } from './words.js';

/** How long a sentence stands, ms. */
const STANDS = 8000;

/** How long a ring stays, ms: two beats; without motion it stands still as long. */
const RING = 1900;

export class News {
  /** @param {Element} said @param {Element} labels the rings' parent */
  constructor(said, labels) {
    this.said = said;
    this.labels = labels;
    /** @type {Map<string, import('./messages.js').State>} */
    this.states = new Map();
    this.clear = 0;
  }

  /** @param {import('./world.js').World} w @param {import('./layout.js').Layout|undefined} l without: nothing is ringed */
  render(w, l) {
    /** @type {Record<string, string[]>} */
    const changed = { bad: [], warn: [], good: [] };
    for (const n of w.nodes.values()) {
      const before = this.states.get(n.id);
      if (before === n.state) continue;
      this.states.set(n.id, n.state);
      const tone = before === undefined ? '' : n.state === 'down' ? 'bad' : n.state === 'paused' ? 'warn' : n.state === 'up' && before !== 'unknown' ? 'good' : '';
      if (tone === '') continue;
      changed[tone].push(n.id);
      if (l) this.ring(n, l, tone);
    }
    const words = [['bad', 'dead'], ['warn', 'paused'], ['good', 'back']].flatMap(([tone, word]) => {
      const ids = changed[tone];
      return ids.length === 0 ? [] : [`${ids.length > 4 ? `${ids.length} nodes` : and(ids)} ${ids.length > 1 ? 'are' : 'is'} ${word}`];
    });
    if (words.length === 0) return;
    text(this.said, words.join(', '));
    /** @type {HTMLElement} */ (this.said).dataset.tone = changed.bad.length > 0 ? 'bad' : changed.warn.length > 0 ? 'warn' : 'good';
    clearTimeout(this.clear);
    this.clear = setTimeout(() => text(this.said, ''), STANDS);
  }

  /** @param {import('./messages.js').Node} n @param {import('./layout.js').Layout} l @param {string} tone */
  ring(n, l, tone) {
    const p = n.kind === 'bus' ? l.river : l.places.get(l.home.get(n.id) ?? n.id);
    if (!p) return;
    const r = el('i', `ring ring-${tone}`);
    const beside = 'bank' in p && p.bank === 0; // its store stands below it
    put(r, l.home.has(n.id) && !beside && !l.tall ? { x: p.x + p.w - 84, y: p.y, w: 84, h: p.h } : p);
    setTimeout(() => r.remove(), RING);
    this.labels.append(r);
  }
}
