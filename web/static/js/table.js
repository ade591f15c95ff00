// @ts-check
// The map's facts as two tables, nodes and streams: for many, for those who would rather read, and for the keyboard. Any
// column sorts.

import { el, Keyed, text } from './dom.js';
import { age, count, millis, rate, state, tally } from './words.js';
import { waiting } from './world.js';

/** @typedef {import('./world.js').World} World */
/** @typedef {{id: string, values: (string|number)[], shown: string[], state: string}} Row values to sort by, beside what is shown */

/** So many rows are shown of each. */
const ROWS = 500;
/** With more rows than this it is drawn anew once a second, not with every frame. */
const CALM = 100;

export const NODES = ['Node', 'Kind', 'State', 'Rate', 'p50', 'Errors', 'Waits', 'Oldest', 'Outbox'];
export const STREAMS = ['Stream', 'Kept', 'Rate', 'Groups', 'Waits', 'Oldest'];

const dash = '–';

/** Pure. @param {World} w @param {number} now the server's clock, ms @returns {Row[]} */
export function nodeRows(w, now) {
  return [...w.nodes.values()].map((n) => {
    const s = state(n, now), wait = waiting(w, n.id), known = wait.unknown && wait.known === 0 ? -1 : wait.known;
    const word = n.state === 'up' && !tally(n) ? 'up' : s.text;
    return {
      id: n.id, state: n.state, values: [n.id, n.kind, n.state, n.rate, n.p50_ms, n.errors, known, wait.oldest_ms, n.outbox.waiting],
      shown: [n.id, n.kind, `${s.symbol} ${word}`, n.rate > 0 ? rate(n.rate) : dash, n.rate > 0 ? millis(n.p50_ms) : dash, n.errors > 0.05 ? `✕ ${rate(n.errors)}` : dash,
        known < 0 ? 'unknown' : known > 0 ? count(known) : dash, wait.oldest_ms > 0 ? age(wait.oldest_ms) : dash,
        n.outbox.waiting < 0 ? 'unknown' : n.outbox.waiting > 0 ? `${n.outbox.more ? 'over ' : ''}${count(n.outbox.waiting)}` : dash],
    };
  });
}

/** Pure. @param {World} w @returns {Row[]} */
export function streamRows(w) {
  /** @type {Map<string, {groups: number, known: number, unknown: boolean, oldest: number, lost: boolean}>} */
  const takes = new Map();
  for (const e of w.edges.values()) {
    if (e.kind !== 'take') continue;
    const t = takes.get(e.from) ?? { groups: 0, known: 0, unknown: false, oldest: 0, lost: false };
    t.groups++;
    t.unknown ||= e.waiting < 0;
    t.lost ||= e.trimmed_unread;
    t.known += Math.max(0, e.waiting);
    t.oldest = Math.max(t.oldest, e.oldest_ms);
    takes.set(e.from, t);
  }
  return [...w.streams.values()].map((s) => {
    const t = takes.get(s.name) ?? { groups: 0, known: 0, unknown: false, oldest: 0, lost: false };
    return {
      id: s.name, state: t.lost ? 'down' : '', values: [s.name, s.length, s.rate, t.groups, t.known, t.oldest],
      shown: [s.name, count(s.length), s.rate > 0 ? rate(s.rate) : dash, String(t.groups),
        `${t.known > 0 ? count(t.known) : t.unknown ? 'unknown' : dash}${t.lost ? ', some lost unread' : ''}`, t.oldest > 0 ? age(t.oldest) : dash],
    };
  });
}

/** Sorted by a column; equal ones by their first. Pure. @param {Row[]} rows @param {number} by @param {1|-1} way */
export function sorted(rows, by, way) {
  const cmp = (/** @type {string|number} */ a, /** @type {string|number} */ b) => (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b)));
  return [...rows].sort((a, b) => way * cmp(a.values[by], b.values[by]) || cmp(a.values[0], b.values[0]));
}

/** One of the two. */
class Sheet {
  /** @param {string} name @param {string[]} columns @param {'node'|'stream'} kind @param {() => void} changed */
  constructor(name, columns, kind, changed) {
    this.kind = kind;
    this.by = 0;
    /** @type {1|-1} */
    this.way = 1;
    this.heads = columns.map((c, i) => {
      const b = el('button', 'sort', c), th = el('th', i > 0 && !['Kind', 'State'].includes(c) ? 'num' : '', b);
      b.type = 'button';
      th.scope = 'col';
      b.addEventListener('click', () => {
        this.way = this.by === i ? /** @type {1|-1} */ (-this.way) : i === 0 ? 1 : -1; // the most first
        this.by = i;
        changed();
      });
      return th;
    });
    this.caption = el('caption', '');
    this.name = name;
    const body = el('tbody');
    this.body = body;
    this.root = el('table', 'facts', this.caption, el('thead', '', el('tr', '', ...this.heads)), body);
    this.rows = new Keyed(body, (id) => {
      const b = el('button', 'fact-name', id), tr = el('tr', '', el('th', '', b), ...columns.slice(1).map((c) => el('td', ['Kind', 'State'].includes(c) ? '' : 'num')));
      b.type = 'button';
      tr.dataset.row = id;
      tr.dataset.of = kind;
      /** @type {HTMLElement} */ (tr.firstElementChild).setAttribute('scope', 'row');
      return tr;
    });
  }

  /** @param {Row[]} all @param {ReadonlySet<string>|undefined} found those to show; undefined: all */
  render(all, found) {
    const rows = sorted(found ? all.filter((r) => found.has(r.id)) : all, this.by, this.way);
    text(this.caption, `${this.name}: ${rows.length}${rows.length > ROWS ? `, the first ${ROWS} of them here; search for others` : ''}`);
    this.heads.forEach((th, i) => th.setAttribute('aria-sort', i !== this.by ? 'none' : this.way > 0 ? 'ascending' : 'descending'));
    rows.slice(0, ROWS).forEach((r, i) => {
      const tr = /** @type {HTMLElement} */ (this.rows.get(r.id));
      tr.dataset.state = r.state;
      r.shown.slice(1).forEach((s, k) => text(tr.children[k + 1], s));
      if (this.body.children[i] !== tr) this.body.insertBefore(tr, this.body.children[i] ?? null);
    });
    this.rows.sweep();
  }
}

export class Table {
  /** @param {HTMLElement} root that it is put into @param {() => void} changed sorted otherwise: it is to be drawn */
  constructor(root, changed) {
    const again = () => {
      this.anew();
      changed();
    };
    this.nodes = new Sheet('Nodes', NODES, 'node', again);
    this.streams = new Sheet('Streams', STREAMS, 'stream', again);
    root.append(this.nodes.root, this.streams.root);
    this.last = 0;
    this.words = '';
  }

  /** The next rendering draws, however short ago the last was. */
  anew() {
    this.last = 0;
  }

  /** @param {World} w @param {import('./find.js').Find} find @param {number} now */
  render(w, find, now) {
    const words = find.words, t = performance.now();
    if (w.nodes.size + w.streams.size > CALM && words === this.words && t - this.last < 900) return;
    this.last = t;
    this.words = words;
    this.nodes.render(nodeRows(w, now), words ? find.nodes : undefined);
    this.streams.render(streamRows(w), words ? find.streams : undefined);
  }
}
