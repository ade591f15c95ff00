// @ts-check
// What still works: features by patterns, each cell from real requests of the last seconds. A cell is a button that opens
// what one such request costs.

import { attr, el, text } from './dom.js';
import { age, and, brief, culprit, cut, millis, short, trouble } from './words.js';
import { cellKey } from './world.js';

/** @typedef {import('./messages.js').Cell} Cell */
/** @typedef {{td: HTMLTableCellElement, button: HTMLButtonElement, symbol: Element, word: Element, say: Element}} Spot */

/** @type {Record<import('./messages.js').CellState, {symbol: string, word: string}>} */
export const STATES = {
  works: { symbol: '✓', word: 'works' }, slow: { symbol: '◷', word: 'slow' }, stale: { symbol: '≈', word: 'old data' },
  fails: { symbol: '✕', word: 'fails' }, untried: { symbol: '·', word: 'not tried' },
};

/** What a cell says below its symbol. @param {Cell} c @param {Iterable<string>} ids of nodes */
export function below(c, ids) {
  switch (c.state) {
    case 'fails': return c.because.length > 0 ? `${cut(c.because[0], 14)}${c.because.length > 1 ? ` +${c.because.length - 1}` : ''}`
      : cut(culprit(c.last_error, ids) || short(c.last_error), 14);
    case 'stale': return c.stale_ms > 0 ? `${age(c.stale_ms)} old` : 'old data';
    case 'untried': return 'not tried';
    default: return millis(c.p50_ms);
  }
}

/** Why a cell does not work, in words; '' where nothing is known. @param {Cell} c @param {import('./world.js').World} w */
export function why(c, w) {
  if (c.because.length === 0) return '';
  return and(c.because.map((id) => {
    const n = w.nodes.get(id);
    return (n && trouble(n)) || id;
  }));
}

/** The whole of a cell in a sentence. @param {Cell} c @param {string} feature @param {string} pattern @param {import('./world.js').World} w */
export function sentence(c, feature, pattern, w) {
  const because = why(c, w);
  const head = `${feature}, ${pattern}: ${STATES[c.state].word}${because ? ` because ${because}` : ''}`;
  if (c.state === 'untried') return head;
  return [head, `${Math.round(c.success * 100)} % of ${c.tries} requests succeeded`, `half within ${millis(c.p50_ms)}, 99 % within ${millis(c.p99_ms)}`,
    c.stale_ms > 0 ? `its copy is ${age(c.stale_ms)} behind` : '', c.last_error ? `last error: ${c.last_error}` : ''].filter(Boolean).join('; ');
}

/** Which nodes do not do well, in words. @param {import('./world.js').World} w */
export function outages(w) {
  const out = [...w.nodes.values()].map(trouble).filter(Boolean);
  if (out.length === 0) return 'everything is up';
  return out.length > 4 ? `${out.slice(0, 3).join(', ')} and ${out.length - 3} more` : and(out);
}

export class Matrix {
  /** @param {Element} parent @param {Element} say @param {(feature: string, pattern: string, b: HTMLButtonElement) => void} open */
  constructor(parent, say, open) {
    this.parent = parent;
    this.say = say;
    this.open = open;
    this.shape = '';
    /** @type {Map<string, Spot>} */
    this.cells = new Map();
    /** @type {HTMLButtonElement[][]} rows of buttons */
    this.grid = [];
    /** @type {Map<string, HTMLElement>} column heads by pattern */
    this.heads = new Map();
    parent.addEventListener('keydown', (e) => this.keys(/** @type {KeyboardEvent} */ (e)));
  }

  /** @param {import('./world.js').World} w @param {string} chosen pattern, '' for all @param {string} opened key of the cell whose cost is shown */
  render(w, chosen, opened) {
    text(this.say, `${outages(w)} · last 5 s`);
    const { features, patterns } = w.system;
    const shape = JSON.stringify([features, patterns]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.build(features, patterns);
    }
    for (const p of patterns) this.heads.get(p.id)?.classList.toggle('chosen', p.id === chosen);
    for (const f of features) {
      for (const p of patterns) {
        const key = cellKey(f.id, p.id), spot = this.cells.get(key), c = w.cells.get(key);
        if (!spot) continue;
        spot.td.classList.toggle('chosen', p.id === chosen);
        attr(spot.button, 'aria-pressed', String(key === opened));
        if (!c) continue;
        spot.td.dataset.state = c.state;
        text(spot.symbol, STATES[c.state].symbol);
        text(spot.word, below(c, w.nodes.keys()));
        const s = sentence(c, f.name, p.name, w);
        text(spot.say, s);
        attr(spot.button, 'title', s);
      }
    }
  }

  /** @param {import('./messages.js').Feature[]} features @param {import('./messages.js').Pattern[]} patterns */
  build(features, patterns) {
    this.cells.clear();
    this.heads.clear();
    const head = el('tr', '', el('td'));
    for (const p of patterns) {
      const th = el('th', '', el('span', 'full', p.name), el('span', 'brief', brief(p.id)));
      th.scope = 'col';
      th.setAttribute('aria-label', p.name);
      th.title = p.say;
      this.heads.set(p.id, th);
      head.append(th);
    }
    const body = el('tbody');
    this.grid = features.map((f) => {
      const th = el('th', f.crosses ? 'crosses' : '', f.name);
      th.scope = 'row';
      if (f.crosses) th.title = 'needs the data of several services';
      const tr = el('tr', '', th);
      body.append(tr);
      return patterns.map((p) => {
        const spot = this.cell(f, p);
        tr.append(spot.td);
        return spot.button;
      });
    });
    this.roam(0, 0);
    this.parent.replaceChildren(el('table', `matrix${patterns.length > 3 ? ' many' : ''}`, el('thead', '', head), body));
  }

  /** @param {import('./messages.js').Feature} f @param {import('./messages.js').Pattern} p */
  cell(f, p) {
    const symbol = el('b', '', '·'), word = el('span', 'cell-word', 'not tried'), say = el('span', 'hidden');
    symbol.ariaHidden = word.ariaHidden = 'true';
    const button = el('button', '', symbol, word, say);
    button.type = 'button';
    button.addEventListener('click', () => this.open(f.id, p.id, button));
    const td = el('td', 'cell', button);
    td.dataset.feature = f.id;
    td.dataset.pattern = p.id;
    td.dataset.state = 'untried';
    /** @type {Spot} */
    const spot = { td, button, symbol, word, say };
    this.cells.set(cellKey(f.id, p.id), spot);
    return spot;
  }

  /** One cell is in the tab order; arrows move within. @param {number} row @param {number} col @returns {HTMLButtonElement|undefined} */
  roam(row, col) {
    this.grid.forEach((r, y) => r.forEach((b, x) => { b.tabIndex = y === row && x === col ? 0 : -1; }));
    return this.grid[row]?.[col];
  }

  /** @param {KeyboardEvent} e */
  keys(e) {
    const row = this.grid.findIndex((r) => r.some((b) => b === e.target));
    if (row < 0) return;
    const col = this.grid[row].findIndex((b) => b === e.target), last = this.grid[row].length - 1;
    /** @type {Record<string, [number, number]>} */
    const to = {
      ArrowUp: [row - 1, col], ArrowDown: [row + 1, col], ArrowLeft: [row, col - 1], ArrowRight: [row, col + 1],
      Home: [row, 0], End: [row, last],
    };
    const at = to[e.key];
    if (!at || !this.grid[at[0]]?.[at[1]]) return;
    e.preventDefault();
    this.roam(...at)?.focus();
  }
}
