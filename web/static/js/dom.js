// @ts-check
// Making and changing elements. Strings only ever become text or attribute values, never markup.

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {string} [cls] @param {...(Node|string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, cls = '', ...children) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  e.append(...children);
  return e;
}

/**
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag @param {Record<string, string|number>} [attrs] @param {...(Node|string)} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, attrs = {}, ...children) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [k, v] of Object.entries(attrs)) e.setAttribute(k, String(v));
  e.append(...children);
  return e;
}

/** Sets text where it differs. @param {Element} e @param {string} s */
export function text(e, s) {
  if (e.textContent !== s) e.textContent = s;
}

/** Sets an attribute where it differs; null removes it. @param {Element} e @param {string} k @param {string|null} v */
export function attr(e, k, v) {
  if (v === null) e.removeAttribute(k);
  else if (e.getAttribute(k) !== v) e.setAttribute(k, v);
}

/** Puts an element at a box of the layout. @param {HTMLElement} e @param {{x: number, y: number, w?: number, h?: number}} b */
export function put(e, b) {
  e.style.left = `${b.x}px`;
  e.style.top = `${b.y}px`;
  if (b.w !== undefined) e.style.width = `${b.w}px`;
  if (b.h !== undefined) e.style.height = `${b.h}px`;
}

/** @param {string} id @returns {HTMLElement} that the page has */
export function byId(id) {
  const e = document.getElementById(id);
  if (!e) throw new Error(`the page has no #${id}`);
  return e;
}

/**
 * Keeps children of a parent by key: makes missing ones, drops those no longer asked for.
 * @template {Element} E
 */
export class Keyed {
  /** @param {Element} parent @param {(key: string) => E} make */
  constructor(parent, make) {
    this.parent = parent;
    this.make = make;
    /** @type {Map<string, E>} */
    this.all = new Map();
    /** @type {Set<string>} */
    this.used = new Set();
  }

  /** @param {string} key @returns {E} */
  get(key) {
    this.used.add(key);
    let e = this.all.get(key);
    if (!e) {
      e = this.make(key);
      this.all.set(key, e);
      this.parent.append(e);
    }
    return e;
  }

  /** Drops what was not got since the last sweep. */
  sweep() {
    for (const [k, e] of this.all) {
      if (this.used.has(k)) continue;
      e.remove();
      this.all.delete(k);
    }
    this.used.clear();
  }
}
