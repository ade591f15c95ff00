// @ts-check
// The parts that the side panel's views are made of, and how a view replaces its last form without losing focus or scroll.

import { el } from './dom.js';

/** @typedef {import('./address.js').Kind} Kind */

/** @param {Kind} kind @param {string} id @param {...(Node|string)} label @returns {HTMLElement} */
export function link(kind, id, ...label) {
  const a = el('a', 'go', ...(label.length > 0 ? label : [id]));
  a.href = `#${kind}=${encodeURIComponent(id)}`;
  a.dataset.opens = `${kind}=${id}`;
  return a;
}

/** @param {string} act @param {string} label @param {string} [arg] */
export function button(act, label, arg = '') {
  const b = el('button', `act act-${act}`, label);
  b.type = 'button';
  Object.assign(b.dataset, { act, arg });
  return b;
}

/** @param {string} title '' for none @param {...(Node|string)} children @returns {HTMLElement[]} none without children */
export const part = (title, ...children) => (children.length > 0 ? [el('section', 'part', ...(title ? [el('h3', '', title)] : []), ...children)] : []);

/** Facts with their names; those without a value are left out. @param {...[string, Node|string]} all */
export function facts(...all) {
  const some = all.filter(([, v]) => v !== '');
  return some.length > 0 ? [el('dl', 'facts', ...some.flatMap(([k, v]) => [el('dt', '', k), el('dd', '', v)]))] : [];
}

/**
 * @param {string} label for readers of the screen @param {string[]} heads one that begins with # is of numbers
 * @param {(Node|string)[][]} rows with one cell alone, it goes over the whole width
 */
export function table(label, heads, rows) {
  if (rows.length === 0) return [];
  const cls = heads.map((h) => (h.startsWith('#') ? 'num' : ''));
  const t = el('table', 'grid', el('thead', '', el('tr', '', ...heads.map((h, i) => {
    const th = el('th', cls[i], h.replace('#', ''));
    th.scope = 'col';
    return th;
  }))), el('tbody', '', ...rows.map((r) => el('tr', r.length === 1 ? 'under' : '', ...r.map((c, i) => {
    const td = el('td', r.length === 1 ? '' : cls[i], c);
    if (r.length === 1) td.colSpan = heads.length;
    return td;
  })))));
  t.setAttribute('aria-label', label);
  return [t];
}

/** @param {string} title @param {...(Node|string)} children */
export const folded = (title, ...children) => el('details', 'folded', el('summary', '', title), ...children);

/** @param {string} words @param {string} [tone] bad | warn | '' */
export const say = (words, tone = '') => el('p', `words ${tone}`, words);

/** @param {ChildNode} a @param {ChildNode} b */
const alike = (a, b) => a.nodeName === b.nodeName && /** @type {HTMLElement} */ (a).dataset?.key === /** @type {HTMLElement} */ (b).dataset?.key;

/**
 * Makes a like b, keeping every node of a that may stay, also where others come or go before it: the focus, what is
 * unfolded and what is marked stay with it. Nodes of one name are told apart by data-key.
 * @param {ChildNode} a @param {ChildNode} b
 */
export function become(a, b) {
  if (a.nodeName !== b.nodeName) return a.replaceWith(b);
  if (!(a instanceof Element) || !(b instanceof Element)) {
    if (a.nodeValue !== b.nodeValue) a.nodeValue = b.nodeValue;
    return;
  }
  if (a.className !== b.className && !(a instanceof SVGElement)) a.className = b.className;
  for (const { name } of [...a.attributes]) if (!b.hasAttribute(name) && !['open', 'aria-expanded'].includes(name)) a.removeAttribute(name);
  for (const { name, value } of b.attributes) {
    if (name === 'open' || a.getAttribute(name) === value) continue;
    if (name === 'style') /** @type {HTMLElement} */ (a).style.cssText = value; // the policy forbids the attribute
    else a.setAttribute(name, value);
  }
  const now = [...a.childNodes], next = [...b.childNodes];
  next.forEach((n, i) => {
    while (now[0] && !next.slice(i).some((x) => alike(now[0], x))) now.shift()?.remove();
    const at = now[0];
    if (!at) a.append(n);
    else if (alike(at, n)) become(/** @type {ChildNode} */ (now.shift()), n);
    else at.before(n); // what stands here is wanted later
  });
  for (const n of now) n.remove();
}
