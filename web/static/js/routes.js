// @ts-check
// Which way an edge runs over the layout: events between a card's river side and a lane, calls along the outer sides and
// the gutters between columns, reaches beside the calls and onto the other's drum. Pure.

import { horizontal, line, rounded, straight, vertical } from './geometry.js';

/** @typedef {import('./geometry.js').Chain} Chain */
/** @typedef {import('./layout.js').Layout} Layout */
/** @typedef {import('./layout.js').Place} Place */
/** @typedef {{chain: Chain, join: number}} Crossing join: where on the lane it meets, along the river */

/** @param {Layout} l @param {string} id @returns {Place|undefined} */
export const placeOf = (l, id) => l.places.get(l.home.get(id) ?? id);

/** A number from two ids that spreads edges sharing a gutter apart, the same every time. @param {string} a @param {string} b */
function spread(a, b) {
  let h = 7;
  for (const ch of `${a}>${b}`) h = (h * 31 + (ch.codePointAt(0) ?? 0)) % 9973;
  return (h % 5) - 2;
}

/**
 * From a service's river side to a lane (emit), or back (take).
 * @param {Layout} l @param {string} service @param {string} stream @param {'emit'|'take'} kind
 * @returns {Crossing|undefined} undefined where either is not on the map
 */
export function crossing(l, service, stream, kind) {
  const p = placeOf(l, service), lane = l.lanes.get(stream);
  if (!p || !lane) return undefined;
  const slots = l.beds.length * 2;
  const slot = (kind === 'take' ? lane.index : l.beds.length + lane.index) + 0.5;
  if (l.tall) {
    const y = p.y + 14 + ((p.h - 28) * slot) / slots;
    const join = y + (kind === 'take' ? -12 : 12);
    const c = horizontal([p.x, y], lane.x1, join);
    return { chain: kind === 'emit' ? c : reversed(c), join };
  }
  const x = p.x + 18 + ((p.w - 36) * slot) / slots;
  const join = Math.min(lane.x2, Math.max(lane.x1, x + (kind === 'take' ? -22 : 22)));
  const door = p.bank < 0 ? p.y + p.h : p.y;
  /** @type {Chain} */
  const c = [x, door];
  const inner = p.pinned || (p.bank < 0 ? p.row === l.rows - 1 : p.row === 0);
  if (!inner) { // down the gutter beside the cards that stand between it and the river
    const g = gutter(l, p, 1) - 12 + (24 * slot) / slots;
    const shore = p.bank < 0 ? l.river.y - 40 : l.river.y + l.river.h + 40;
    vertical(c, g, door + (p.bank < 0 ? 1 : -1) * (l.compact ? 30 : 40));
    straight(c, g, shore);
  }
  vertical(c, inner ? join : Math.min(lane.x2, c[c.length - 2] + 10), lane.y1);
  const end = c[c.length - 2];
  return { chain: kind === 'emit' ? c : reversed(c), join: end };
}

/** @param {Chain} c @returns {Chain} */
export function reversed(c) {
  /** @type {Chain} */
  const r = [];
  for (let i = c.length - 2; i >= 0; i -= 2) r.push(c[i], c[i + 1]);
  return r;
}

/** Middle of the gutter at a card's right (1) or left (-1). @param {Layout} l @param {Place} p @param {1|-1} side */
const gutter = (l, p, side) => (side > 0 ? p.x + p.w + l.gutter / 2 : p.x - l.gutter / 2);

/** @param {Layout} l @param {string} from @param {string} to @returns {Chain|undefined} */
export function call(l, from, to) {
  const a = placeOf(l, from), b = placeOf(l, to);
  if (!a || !b || a === b) return undefined;
  const s = spread(from, to);
  if (l.tall) return outside(l, a, b, s);
  if (a.pinned || b.pinned) return free(a, b, s);
  if (a.bank === 0) return rail(l, a, b, s);
  if (b.bank === 0) return reversed(rail(l, b, a, s));
  if (a.bank === b.bank && a.row === b.row) return arc(l, a, b, s);
  return weave(l, a, b, s);
}

/** Between cards of which one was put somewhere by hand: out at the nearer sides. @param {Place} a @param {Place} b @param {number} s
 *  @returns {Chain} */
function free(a, b, s) {
  const dx = b.x + b.w / 2 - a.x - a.w / 2, dy = b.y + b.h / 2 - a.y - a.h / 2;
  if (Math.abs(dx) - (a.w + b.w) / 2 > Math.abs(dy) - (a.h + b.h) / 2) {
    const right = dx > 0;
    return horizontal([right ? a.x + a.w : a.x, a.y + a.h / 2 + s * 5], right ? b.x : b.x + b.w, b.y + b.h / 2 + s * 5);
  }
  const down = dy > 0;
  return vertical([a.x + a.w / 2 + s * 8, down ? a.y + a.h : a.y], b.x + b.w / 2 + s * 8, down ? b.y : b.y + b.h);
}

/** Middle of a card's drum, from its right and upper edge; and how far before the card a reach ends, for its warning sign. */
const DRUM = { x: 44, y: 38 }, SIGN = 9;

/**
 * From a service onto the drum in another's card.
 * @param {Layout} l @param {string} from @param {string} to a store @returns {Chain|undefined}
 */
export function reach(l, from, to) {
  const a = placeOf(l, from), b = placeOf(l, to);
  if (!a || !b || a === b) return undefined;
  const s = spread(from, to);
  if (l.tall) {
    const x = a.x + a.w, out = Math.min(l.width - 3, x + 18 + Math.min(9, Math.abs(a.row - b.row) * 3) + s);
    return rounded([x, a.y + a.h * 0.7, out, a.y + a.h * 0.7, out, b.y + DRUM.y + s * 6, x + SIGN, b.y + DRUM.y + s * 6], 8);
  }
  if (a.pinned || b.pinned) return freeReach(a, b);
  if (a.bank === 0 || b.bank === 0) return call(l, from, to);
  if (a.bank === b.bank && a.row === b.row) return hop(l, a, b);
  const c = weave(l, a, b, s + 0.8, true), right = a.col === b.col || b.col < a.col;
  if (!right) { // over the outer side, down onto the drum
    const y = b.bank < 0 ? b.y : b.y + b.h, up = b.bank < 0 ? -1 : 1, x = c[c.length - 2], drum = b.x + b.w - DRUM.x;
    straight(c, x, y);
    c.push(x, y + up * 34, drum, y + up * 34, drum, y + up * SIGN);
  }
  return c;
}

/** Between cards of which one was put somewhere by hand: to the middle above or below the other's drum. @param {Place} a
 *  @param {Place} b @returns {Chain} */
function freeReach(a, b) {
  const down = b.y > a.y;
  return vertical([a.x + a.w * 0.75, down ? a.y + a.h : a.y], b.x + b.w - DRUM.x, down ? b.y - SIGN : b.y + b.h + SIGN);
}

/** Over the outer side of one row, below the calls' arcs. @param {Layout} l @param {Place} a @param {Place} b @returns {Chain} */
function hop(l, a, b) {
  const up = a.bank < 0 ? -1 : 1, right = b.x > a.x ? 1 : -1;
  const outermost = a.bank < 0 ? a.row === 0 : a.row === l.rows - 1;
  const lift = ((outermost ? 24 + Math.abs(a.col - b.col) * 17 : 26) * 4) / 3;
  const y = up < 0 ? a.y : a.y + a.h;
  const xa = right > 0 ? a.x + a.w - 40 : a.x + 40, xb = b.x + b.w - DRUM.x, bow = (xb - xa) * 0.2;
  return [xa, y, xa + bow, y + up * lift, xb - bow, y + up * lift, xb, y + up * SIGN];
}

/** Tall form: bows out at the right. @param {Layout} l @param {Place} a @param {Place} b @param {number} s @returns {Chain} */
function outside(l, a, b, s) {
  const x = a.x + a.w, ya = a.y + a.h * 0.55, yb = b.y + b.h * 0.35;
  const out = Math.min(l.width - 3, x + 14 + Math.min(14, Math.abs(a.row - b.row) * 4) + s);
  return rounded([x, ya, out, ya, out, yb, x, yb], 12);
}

/** From a client: straight to the first card of its height, else by a rail along the bank's outer side. @param {Layout} l
 *  @param {Place} a client @param {Place} b @param {number} s @returns {Chain} */
function rail(l, a, b, s) {
  const y = a.y + a.h / 2, x = a.x + a.w;
  const level = y > b.y && y < b.y + b.h;
  const spine = a.x + a.w + 22;
  if (b.bank === 0) return rounded([x, y, spine, y, spine, b.y + b.h * 0.3, b.x + b.w, b.y + b.h * 0.3], 10); // the same column
  if (b.col === 0 && level) return line(x, y, b.x, y);
  const outer = b.bank < 0 ? b.y - 18 : b.y + b.h + 18;
  const inX = b.x + b.w * 0.2 + s;
  if (b.col === 0) return rounded([x, y, spine, y, spine, b.y + b.h / 2, b.x, b.y + b.h / 2], 14);
  return rounded([x, y, spine, y, spine, outer, inX, outer, inX, b.bank < 0 ? b.y : b.y + b.h], 14);
}

/** Over the outer side of one row. @param {Layout} l @param {Place} a @param {Place} b @param {number} s @returns {Chain} */
function arc(l, a, b, s) {
  const up = a.bank < 0 ? -1 : 1;
  const right = b.x > a.x ? 1 : -1;
  const outermost = a.bank < 0 ? a.row === 0 : a.row === l.rows - 1;
  const far = Math.abs(a.col - b.col);
  const rise = outermost ? Math.min(104, 42 + far * 26) : 38;
  const ya = up < 0 ? a.y : a.y + a.h;
  const xa = a.x + a.w / 2 + right * 30 + s * 4, xb = b.x + b.w / 2 - right * 18 + s * 4;
  const lift = (rise * 4) / 3;
  const reach = (xb - xa) * 0.25;
  return [xa, ya, xa + reach, ya + up * lift, xb - reach, ya + up * lift, xb, ya];
}

/**
 * Across the river, or between rows: out at the side, along the gutter, over, and in at the side.
 * @param {Layout} l @param {Place} a @param {Place} b @param {number} s
 * @param {boolean} [drum] a reach: in by the right at the drum's height; from elsewhere it ends within the gutter
 * @returns {Chain}
 */
function weave(l, a, b, s, drum = false) {
  const dir = a.col === b.col ? 1 : b.col > a.col ? 1 : -1, right = (a.col === b.col ? 1 : -dir) > 0;
  const ga = gutter(l, a, /** @type {1|-1} */ (dir)) + s * 5;
  const gb = gutter(l, b, right ? 1 : -1) + s * 5;
  const xa = dir > 0 ? a.x + a.w : a.x;
  const xb = right ? b.x + b.w + (drum ? SIGN : 0) : b.x;
  const ya = a.y + a.h * (drum ? 0.78 : 0.62) + s * 3, yb = b.y + (drum ? Math.min(DRUM.y, b.h / 2) : b.h * 0.38 + s * 3);
  const down = b.y > a.y ? 1 : -1;
  const pa = down > 0 ? a.y + a.h + 14 : a.y - 14;
  const pb = down > 0 ? b.y - 14 : b.y + b.h + 14;
  /** @type {Chain} */
  const c = [xa, ya, ga, ya, ga, ya + down * 18, ga, ya + down * 40];
  straight(c, ga, pa);
  vertical(c, gb, pb);
  if (drum && !right) return c;
  straight(c, gb, yb - down * 40);
  c.push(gb, yb - down * 18, gb, yb, xb, yb);
  return c;
}
