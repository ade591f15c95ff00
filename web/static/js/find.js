// @ts-check
// Finds nodes and streams by id or label and marks them on the map. Enter brings the first to the middle, and the next with
// each more; Escape clears.

import { byId, text } from './dom.js';

/** @typedef {{kind: 'node'|'stream', id: string}} Hit */

/** Those that start with it come first. Pure. @param {import('./world.js').World} w @param {string} words @returns {Hit[]} */
export function hits(w, words) {
  const s = words.trim().toLowerCase();
  if (s === '') return [];
  const rank = (/** @type {string} */ id, label = '') => {
    const [a, b] = [id.toLowerCase(), label.toLowerCase()];
    return a === s ? 0 : a.startsWith(s) ? 1 : a.includes(s) ? 2 : b.includes(s) ? 3 : 4;
  };
  /** @type {(Hit & {rank: number})[]} */
  const all = [];
  for (const n of w.nodes.values()) all.push({ kind: 'node', id: n.id, rank: rank(n.id, n.label) });
  for (const name of w.streams.keys()) all.push({ kind: 'stream', id: name, rank: rank(name) });
  return all.filter((h) => h.rank < 4).sort((a, b) => a.rank - b.rank);
}

/** Puts the cursor into the search field. */
export function focusSearch() {
  const i = /** @type {HTMLInputElement} */ (byId('search'));
  i.focus();
  i.select();
}

export class Find {
  /** @param {() => void} changed @param {(h: Hit) => void} go brings it to the middle */
  constructor(changed, go) {
    this.input = /** @type {HTMLInputElement} */ (byId('search'));
    this.said = byId('find-said');
    this.changed = changed;
    /** @type {Hit[]} */
    this.hits = [];
    this.next = 0;
    /** @type {Set<string>} */
    this.nodes = new Set();
    /** @type {Set<string>} */
    this.streams = new Set();
    this.input.addEventListener('input', () => {
      this.next = 0;
      changed();
    });
    this.input.addEventListener('keydown', (e) => {
      if (e.key === 'Enter' && this.hits.length > 0) {
        go(this.hits[this.next % this.hits.length]);
        this.next++;
      } else if (e.key === 'Escape') {
        this.clear();
        e.stopPropagation();
      } else return;
      e.preventDefault();
    });
  }

  get words() {
    return this.input.value.trim();
  }

  clear() {
    this.input.value = '';
    this.input.blur();
    this.next = 0;
    this.changed();
  }

  /** @param {import('./world.js').World} w */
  look(w) {
    this.hits = hits(w, this.words);
    this.nodes = new Set(this.hits.filter((h) => h.kind === 'node').map((h) => h.id));
    this.streams = new Set(this.hits.filter((h) => h.kind === 'stream').map((h) => h.id));
    text(this.said, this.words === '' ? '' : this.hits.length === 0 ? 'nothing found' : `${this.hits.length} found`);
  }
}
