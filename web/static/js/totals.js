// @ts-check
// What all of it comes to: for each kind of data how much its owner has, how much of it is kept again, what that costs a
// month, and how far behind the copies are.

import { get } from './api.js';
import { reason, within } from './actions.js';
import { totals } from './dataparts.js';
import { monthly, price, size, stale, times } from './datawords.js';
import { el } from './dom.js';
import { become, link, say } from './pieces.js';
import { clock, count, engine, millis } from './words.js';
import { COLOURS } from './world.js';

/** @typedef {import('./dataparts.js').Total} Total @typedef {import('./world.js').World} World */

/** Between two questions, ms. */
const PACE = 2000;
/** A round figure for storage in a cloud, euros for a GB and month. */
const USUAL = 0.10;
const KEY = 'stillup-price';
/** How many times as many records a shop has that is no laboratory. */
const GROWN = 1e6;

export class Totals {
  /** @param {import('./data.js').Hands} hands */
  constructor(hands) {
    this.hands = hands;
    this.acts = false;
    /** @type {Total[]|undefined} */
    this.all = undefined;
    this.failed = '';
    this.heard = NaN;
    this.perGB = kept();
    this.timer = 0;
    this.asking = false;
    this.input = el('input', 'price-input');
    Object.assign(this.input, { type: 'text', inputMode: 'decimal', value: this.perGB.toFixed(2), id: 'price-of-gb' });
    this.input.addEventListener('input', () => this.set());
    this.wrong = el('span', 'bad');
    this.wrong.setAttribute('role', 'status');
    const label = el('label', '', 'Price of 1 GB a month: € ');
    label.htmlFor = this.input.id;
    this.part = el('div', '', el('div'));
    this.root = el('div', 'totals', el('p', 'price-line', label, this.input, ' ', this.wrong,
      el('span', 'words', `€${USUAL.toFixed(2)} is a round figure for storage in a cloud, no offer of anybody: put in your own. 1 GB is 1 000 000 000 bytes.`)), this.part);
  }

  show() {
    if (this.timer) return;
    this.timer = setInterval(() => this.ask(), PACE);
    this.ask();
  }

  hide() {
    clearInterval(this.timer);
    this.timer = 0;
  }

  set() {
    const n = Number(this.input.value.replace(',', '.'));
    const bad = this.input.value.trim() === '' || !Number.isFinite(n) || n < 0;
    this.wrong.textContent = bad ? 'a number, 0 or more ' : '';
    if (bad) return;
    this.perGB = n;
    try {
      localStorage.setItem(KEY, String(n));
    } catch { /* storage is switched off: it holds until the page is left */ }
    this.hands.changed();
  }

  async ask() {
    if (this.asking || document.hidden) return;
    this.asking = true;
    try {
      this.all = totals(await within((s) => get('/api/v1/copies', s)));
      this.heard = Date.now();
      this.failed = '';
    } catch (e) {
      this.failed = `${this.all ? `What is shown is from ${clock(this.heard)}` : 'It cannot be shown'}: ${reason(e)}.`;
    }
    this.asking = false;
    this.hands.changed();
  }

  /** @param {World} w */
  render(w) {
    const all = this.all ?? [];
    become(/** @type {ChildNode} */ (this.part.firstChild), el('div', '', ...(this.failed ? [el('p', 'notice warned', this.failed)] : []),
      ...(this.all ? [] : this.failed ? [] : [say('Looking…')]), ...(this.all && all.length === 0 ? [say('The system does not say where its data stand, so there is nothing to count.')] : []),
      ...(all.length > 0 ? [this.sum(all)] : []), el('div', 'kinds-of-data', ...all.map((t) => this.kind(t, w))),
      ...(all.some((t) => t.holdings.some((h) => h.estimated)) ? [say('≈ an estimate, the store’s own: to count each record would cost it more than it is worth.')] : [])));
  }

  /** @param {Total[]} all */
  sum(all) {
    const owned = all.reduce((n, t) => n + t.owned_bytes, 0), copied = all.reduce((n, t) => n + t.copied_bytes, 0), cost = (/** @type {number} */ b) => price(monthly(b, this.perGB));
    return el('section', 'sum', el('p', 'sum-line', el('b', '', `${size(owned)} owned`), ' + ', el('b', '', `${size(copied)} copied`), ' = ', el('b', '', owned > 0 ? `${times((owned + copied) / owned).slice(2)} times what is owned` : size(copied))),
      el('p', 'words', `That costs ${cost(owned + copied)} a month, ${cost(copied)} of it for copies. With a million times as many records: ${cost(GROWN * (owned + copied))}, ${cost(GROWN * copied)} of it for copies.`));
  }

  /** @param {Total} t @param {World} w */
  kind(t, w) {
    const owner = t.holdings.find((h) => !h.copy), most = Math.max(1, ...t.holdings.map((h) => h.bytes)); // of the longest bar
    const i = Math.max(0, w.system.kinds.findIndex((k) => k.id === t.kind)) % COLOURS, cost = (/** @type {number} */ b) => price(monthly(b, this.perGB));
    const heads = ['store', 'records', 'size', 'a month', 'behind now', 'worst of an hour'];
    const table = el('table', 'grid holdings', el('thead', '', el('tr', '', ...heads.map((h, n) => {
      const th = el('th', n === 1 || n === 3 ? 'num' : '', h);
      th.scope = 'col';
      return th;
    }))), el('tbody', '', ...t.holdings.map((h) => {
      const n = w.nodes.get(h.node), th = el('th', '', link('node', h.node), el('span', 'kept-as', ` ${h.copy ? 'copy' : h === owner ? 'owner' : 'its own'}${n ? ` · ${engine(n)}` : ''}`));
      th.scope = 'row';
      if (!h.known) {
        const why = el('td', 'warned', `not known: ${h.why || 'it was not looked at yet'}`);
        why.colSpan = heads.length - 1;
        return el('tr', '', th, why);
      }
      const fill = el('i', `bytes-fill back-${i}${h.copy ? ' hatched' : ''}`);
      fill.style.width = h.bytes > 0 ? `${Math.max(1, (100 * h.bytes) / most)}%` : '0';
      return el('tr', '', th, el('td', 'num', `${h.estimated ? '≈ ' : ''}${count(h.count)}`), el('td', 'bytes', el('span', 'bytes-words', size(h.bytes, h.estimated)), el('span', 'bytes-bar', fill)), el('td', 'num', cost(h.bytes)),
        h.copy ? el('td', h.stale_ms > 0 ? 'warned' : 'good', h.stale_ms > 0 ? `⚠ ${stale(h.stale_ms)}${h.behind > 0 ? `, ${count(h.behind)} ${h.behind === 1 ? 'event' : 'events'}` : ''}` : '✓ up to date') : el('td', '', '–'),
        el('td', '', h.copy ? (h.worst_ms > 0 ? `${millis(h.worst_ms)} behind` : 'never behind') : '–'));
    })));
    table.setAttribute('aria-label', `Who holds ${t.name}`);
    const box = el('div', 'scroll-x', table);
    box.tabIndex = 0;
    box.setAttribute('role', 'region');
    box.setAttribute('aria-label', `Who holds ${t.name}`);
    return el('section', 'kind-of-data', el('h3', '', el('i', `swatch back-${i}`), t.name, el('span', 'words', t.factor > 0 ? ` ${size(t.owned_bytes)} owned, ${t.copied_bytes > 0 ? `${size(t.copied_bytes)} copied: ${times(t.factor)}` : 'none copied'} · ${cost(t.owned_bytes + t.copied_bytes)} a month` : ' how much is owned is not known')), box);
  }
}

function kept() {
  try {
    const v = localStorage.getItem(KEY), n = Number(v);
    return v !== null && Number.isFinite(n) && n >= 0 ? n : USUAL;
  } catch {
    return USUAL;
  }
}
