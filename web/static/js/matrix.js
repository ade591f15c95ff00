// @ts-check
// What still works: features by patterns, each cell from real requests of the last seconds.

import { attr, el, text } from './dom.js';
import { age, and, culprit, cut, millis, short } from './words.js';
import { cellKey } from './world.js';

/** @typedef {import('./messages.js').Cell} Cell */

/** @type {Record<import('./messages.js').CellState, {symbol: string, word: string}>} */
const STATES = {
  works: { symbol: '✓', word: 'works' }, slow: { symbol: '◷', word: 'slow' }, stale: { symbol: '≈', word: 'old data' },
  fails: { symbol: '✕', word: 'fails' }, untried: { symbol: '·', word: 'not tried' },
};

/** What a cell says below its symbol. @param {Cell} c @param {Iterable<string>} ids of nodes */
export function below(c, ids) {
  switch (c.state) {
    case 'fails': return cut(culprit(c.last_error, ids) || short(c.last_error), 14);
    case 'stale': return c.stale_ms > 0 ? `${age(c.stale_ms)} old` : 'old data';
    case 'untried': return 'not tried';
    default: return millis(c.p50_ms);
  }
}

/** The whole of a cell in a sentence. @param {Cell} c @param {string} feature @param {string} pattern */
export function sentence(c, feature, pattern) {
  const head = `${feature}, ${pattern}: ${STATES[c.state].word}`;
  if (c.state === 'untried') return head;
  return [head, `${Math.round(c.success * 100)} % of ${c.tries} requests succeeded`, `half within ${millis(c.p50_ms)}, 99 % within ${millis(c.p99_ms)}`,
    c.stale_ms > 0 ? `its copy is ${age(c.stale_ms)} behind` : '', c.last_error ? `last error: ${c.last_error}` : ''].filter(Boolean).join('; ');
}

/** Which nodes are not up, in words. @param {import('./world.js').World} w */
export function outages(w) {
  const words = { down: 'dead', paused: 'paused', starting: 'starting', unknown: 'unknown', up: '' };
  const out = [...w.nodes.values()].filter((n) => n.state !== 'up')
    .map((n) => `${n.id} is ${n.state === 'down' && /^stopp?/i.test(n.reason) ? 'stopped' : words[n.state]}`);
  if (out.length === 0) return 'everything is up';
  return out.length > 4 ? `${out.slice(0, 3).join(', ')} and ${out.length - 3} more` : and(out);
}

export class Matrix {
  /** @param {Element} parent @param {Element} say */
  constructor(parent, say) {
    this.parent = parent;
    this.say = say;
    this.shape = '';
    /** @type {Map<string, HTMLTableCellElement>} */
    this.cells = new Map();
  }

  /** @param {import('./world.js').World} w */
  render(w) {
    text(this.say, `${outages(w)} · last 5 s`);
    const { features, patterns } = w.system;
    const shape = JSON.stringify([features, patterns]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.build(features, patterns);
    }
    for (const f of features) {
      for (const p of patterns) {
        const td = this.cells.get(cellKey(f.id, p.id)), c = w.cells.get(cellKey(f.id, p.id));
        if (!td || !c) continue;
        td.dataset.state = c.state;
        const [symbol, word, hidden] = td.children;
        text(symbol, STATES[c.state].symbol);
        text(word, below(c, w.nodes.keys()));
        const s = sentence(c, f.name, p.name);
        text(hidden, s);
        attr(td, 'title', s);
      }
    }
  }

  /** @param {import('./messages.js').Feature[]} features @param {import('./messages.js').Named[]} patterns */
  build(features, patterns) {
    this.cells.clear();
    const head = el('tr', '', el('td'));
    for (const p of patterns) {
      const th = el('th', '', p.name);
      th.scope = 'col';
      head.append(th);
    }
    const body = el('tbody');
    for (const f of features) {
      const th = el('th', f.crosses ? 'crosses' : '', f.name);
      th.scope = 'row';
      if (f.crosses) th.title = 'needs the data of several services';
      const tr = el('tr', '', th);
      for (const p of patterns) {
        const b = el('b', '', '·'), s = el('span', '', 'not tried');
        b.ariaHidden = s.ariaHidden = 'true';
        const td = el('td', 'cell', b, s, el('span', 'hidden'));
        td.dataset.feature = f.id;
        td.dataset.pattern = p.id;
        td.dataset.state = 'untried';
        tr.append(td);
        this.cells.set(cellKey(f.id, p.id), td);
      }
      body.append(tr);
    }
    this.parent.replaceChildren(el('table', 'matrix', el('thead', '', head), body));
  }
}
