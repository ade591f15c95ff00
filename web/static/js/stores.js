// @ts-check
// The table in which one thing's copies stand beside each other: a column for each store, a row for each field.

import { size, standing } from './datawords.js';
import { el } from './dom.js';
import { folded, link } from './pieces.js';
import { fieldRows } from './sidebyside.js';
import { engine } from './words.js';

/** @typedef {import('./dataparts.js').Copy} Copy @typedef {import('./world.js').World} World */

/** Fields are marked by these, beside their colour. */
const MARKS = { same: '', differs: '≠ ', own: '+ ' };
const SAYS = { same: '', differs: 'differs from the owner', own: 'the owner has no such field' };

/** A name with more letters is written smaller. */
const LONG = 12;

/** @param {Copy} c @param {'td'|'th'} tag @param {string} cls @param {...(Node|string)} children */
function spot(c, tag, cls, ...children) {
  const td = el(tag, `${cls}${c.why ? ' unasked' : ''}`, ...children);
  td.dataset.of = c.node;
  return td;
}

/** @param {string} name @param {Copy[]} copies @param {(c: Copy, i: number) => HTMLElement} each @param {string} [cls] */
function row(name, copies, each, cls = '') {
  const th = el('th', '', ...name.split('_').flatMap((s, i) => (i ? ['_', el('wbr'), s] : [s]))); // it breaks between words alone
  th.scope = 'row';
  const tr = el('tr', cls, th, ...copies.map(each));
  tr.dataset.key = name;
  return tr;
}

/** @param {Copy} c @param {number} i @param {World} w @param {ReadonlySet<string>} fresh */
function head(c, i, w, fresh) {
  const n = w.nodes.get(c.node), name = c.service || c.node, th = spot(c, 'th', i === 0 ? 'is-own' : 'is-copy', el('span', 'whose', c.copy ? 'copy of' : i === 0 ? 'owner' : 'its own', fresh.has(c.node) ? el('span', 'fresh', ' · changed just now') : ''),
    el('b', `store-of${name.length > LONG ? ' long' : ''}`, link('node', name)), el('span', 'kept-as', `${n ? engine(n) : c.engine} · ${c.form}`), el('span', 'kept-in', c.place));
  th.setAttribute('scope', 'col');
  return th;
}

/** @param {Copy} c */
function raw(c) {
  if (!c.raw) return spot(c, 'td', '', '');
  const pre = el('pre', 'raw', c.raw);
  pre.tabIndex = 0; // it may scroll
  pre.setAttribute('role', 'region');
  pre.setAttribute('aria-label', `As ${c.node} keeps it`);
  return spot(c, 'td', '', folded('show', pre));
}

/** @param {import('./dataparts.js').Thing} t @param {World} w @param {ReadonlySet<string>} fresh nodes whose copy has just changed */
export function compare(t, w, fresh) {
  const all = t.records, some = (/** @type {(c: Copy) => boolean} */ f) => all.some(f);
  const corner = el('td', 'corner');
  const table = el('table', 'side-by-side', el('thead', '', el('tr', '', corner, ...all.map((c, i) => head(c, i, w, fresh)))), el('tbody', '',
    row('state', all, (c, i) => {
      const s = standing(c, i === 0);
      return spot(c, 'td', `standing ${s.tone}`, s.words);
    }),
    ...(some((c) => c.version > 0) ? [row('version', all, (c) => spot(c, 'td', `version${c.version > 0 ? '' : ' none'}`, !c.found ? '' : c.version > 0 ? String(c.version) : 'keeps none'))] : []),
    ...fieldRows(all).map((r) => row(r.name, all, (c, i) => {
      const s = r.spots[i];
      if (!s) return spot(c, 'td', 'none', c.found ? '–' : '');
      const same = c.copy ? s.same : 'same'; // what is its own is compared with nothing
      const td = spot(c, 'td', `field ${same}`, ...(MARKS[same] ? [el('b', 'mark', MARKS[same]), el('span', 'hidden', `${SAYS[same]}: `)] : []), s.value === '' ? el('span', 'none', 'empty') : s.value);
      td.title = SAYS[same] || s.value;
      return td;
    }, r.differs ? 'differing' : '')),
    row('size', all, (c) => spot(c, 'td', 'size', c.found ? size(c.bytes) : '')),
    ...(some((c) => c.keys.length > 0) ? [row('kept beside it', all, (c) => spot(c, 'td', '', ...c.keys.map((k) => el('div', 'beside', el('code', '', k.key), ` ${k.value}`))))] : []),
    ...(some((c) => c.raw !== '') ? [row('as it is kept', all, raw)] : [])));
  table.setAttribute('aria-label', `${t.id} in each store`);
  table.style.setProperty('--stores', String(all.length));
  const scroll = el('div', 'scroll-x', table);
  scroll.tabIndex = 0;
  scroll.setAttribute('role', 'region');
  scroll.setAttribute('aria-label', `${t.id}, its stores side by side`);
  return el('div', '', scroll, el('p', 'key-of-marks', el('b', 'mark-differs', '≠'), ' differs from the owner   ', el('b', '', '+'), ' the owner has no such field   ', el('b', '', '–'), ' not kept there'));
}
