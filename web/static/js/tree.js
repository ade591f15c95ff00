// @ts-check
// A JSON value as a tree that folds. Every value is text, whatever it looks like.

import { el } from './dom.js';

/** So many values are shown, and so many of one list or object. */
export const MOST = 1200, EACH = 150;
/** Objects down to this depth are unfolded. */
const OPEN = 2;

/** What stands for a value where it has no children. @param {unknown} v */
export function leaf(v) {
  const s = typeof v === 'string' ? JSON.stringify(v) : String(v);
  return s.length > 2000 ? `${s.slice(0, 2000)}… (${s.length} characters)` : s;
}

/** @param {unknown} value @returns {HTMLElement} */
export function tree(value) {
  let left = MOST;
  /** @param {string} name @param {unknown} v @param {number} depth @returns {HTMLElement} */
  const one = (name, v, depth) => {
    left--;
    const key = name ? [el('span', 'tree-key', name), ': '] : [];
    if (typeof v !== 'object' || v === null) return el('li', '', ...key, el('span', `tree-${v === null ? 'null' : typeof v}`, leaf(v)));
    const kids = Object.entries(v), shown = kids.slice(0, Math.max(0, Math.min(EACH, left)));
    const size = Array.isArray(v) ? `[${kids.length}]` : `{${kids.length}}`;
    if (kids.length === 0) return el('li', '', ...key, Array.isArray(v) ? '[]' : '{}');
    const d = el('details', '', el('summary', '', ...key, el('span', 'tree-size', size)), el('ul', '', ...shown.map(([k, x]) => one(k, x, depth + 1))));
    if (kids.length > shown.length) d.append(el('p', 'tree-size', `… ${kids.length - shown.length} more not shown`));
    d.open = depth < OPEN;
    return el('li', '', d);
  };
  return el('ul', 'tree', one('', value, 0));
}
