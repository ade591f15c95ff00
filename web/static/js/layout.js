// @ts-check
// Where everything stands: the river across the middle, services on both banks, clients at the left and with them the one
// service that takes no part in the bus. Pure and deterministic: positions depend on which nodes and streams there are, on
// the room, on what stood before and on what was put somewhere by hand, never on state or traffic.

import { seated } from './seats.js';

/** @typedef {{x: number, y: number, w: number, h: number}} Box */
/** @typedef {Box & {bank: -1|1|0, col: number, row: number, pinned?: boolean}} Place bank: -1 above the river, 1 below, 0
 *   beside it; pinned: put there by hand */
/** @typedef {{x1: number, y1: number, x2: number, y2: number, index: number}} LanePlace from its spring to its mouth; index: its row's */
/**
 * @typedef {object} Layout
 * @property {boolean} tall the phone's form: the river runs down the left edge, all cards at its right
 * @property {boolean} compact there are so many cards that they are small
 * @property {number} width
 * @property {number} height
 * @property {Box} river
 * @property {import('./bands.js').Band[]} bands rows of the river
 * @property {Map<string, LanePlace>} lanes by stream; those of a shut group have the group's
 * @property {LanePlace[]} beds by row of the river
 * @property {Map<string, Place>} places by id of service, client or store without owner
 * @property {Map<string, string>} home id of every node that is drawn in another's place (stores: their owner's)
 * @property {{x: number, y: number}} caption of the bus: its lower left corner; in the tall form its upper left one
 * @property {number} cols
 * @property {number} rows a bank
 * @property {number} gutter between two columns
 * @property {Map<string, import('./seats.js').Seat>} seats
 * @property {number} base height that the river had at first
 */
/** @typedef {{id: string, kind: string, owner: string}} Item */
/**
 * @typedef {object} Wishes
 * @property {import('./bands.js').Band[]} [bands] rows of the river; without: a stream each
 * @property {ReadonlyMap<string, {x: number, y: number}>} [pins] upper left corners of cards that were put there by hand
 * @property {Layout} [keep] what stood before: nothing of it moves
 * @property {ReadonlySet<string>} [later] nodes that may join later: whether they are there or not, all others stand the same
 */

export const CARD = { w: 222, h: 136 }, SMALL = { w: 204, h: 84 };
/** From so many cards on they are small. */
export const CROWD = 17;
const CLIENT = { w: 150, h: 88 };
/** A service that takes no part in the bus: its store stands below it. */
const APART = { w: 164, h: 210, gap: 12 };
/** Distances: between columns; between a bank's cards and the river, for piles, outboxes and curves; between two rows of a bank,
 *  for rails, arcs, piles and buttons; lanes' names and rates, at the river's ends. */
const WIDE = { card: CARD, gutter: 38, shore: 74, row: 84, top: 100, head: 126, tail: 92 };
const CROWDED = { card: SMALL, gutter: 32, shore: 70, row: 34, top: 80, head: 226, tail: 130 };
const BOTTOM = 60;
const LANE = { few: 30, more: 25, many: 22, least: 10 };
/** Rows of the river that are kept free where streams are grouped, for those that come to need one; and with them there are at least so many. */
const SPARE = 3, GROUPED = 12;
/** Room for those that may join is left free from the start where the map gets no smaller by it than this, as a share. */
const CHEAP = 0.9;
/** Below this width of the room the tall form is used. */
export const TALL = 640;

/**
 * @param {Iterable<Item>} nodes @param {Iterable<string>} streams @param {{width: number, height: number}} room
 * @param {ReadonlySet<string>} [apart] services that take no part in the bus; where it is one alone, it stands beside
 * @param {Wishes} [o]
 * @returns {Layout}
 */
export function layout(nodes, streams, room, apart = new Set(), o = {}) {
  const all = [...nodes];
  const bands = o.bands ?? [...streams].map((name) => ({ id: name, name, streams: [name], group: false, open: false, inner: false }));
  const ids = new Set(all.map((n) => n.id));
  const services = all.filter((n) => n.kind === 'service' || (n.kind === 'store' && !ids.has(n.owner)));
  const aside = apart.size === 1 && services.length > 1 && services.length < CROWD ? services.find((n) => apart.has(n.id)) : undefined;
  const cards = services.filter((n) => n !== aside);
  const clients = all.filter((n) => n.kind === 'client');
  const later = o.later ?? new Set();
  const isTall = room.width < TALL, keep = o.keep?.tall === isTall ? o.keep : undefined;
  const compact = keep ? keep.compact : cards.length >= CROWD;
  const joined = cards.filter((n) => later.has(n.id)), first = cards.filter((n) => !later.has(n.id));
  const l = isTall ? tall([...first, ...(aside ? [aside] : []), ...joined], clients, bands, room, compact)
    : wide([...first, ...joined], clients, aside, bands, room, compact, keep, later);
  l.home = new Map(all.filter((n) => n.kind === 'store' && ids.has(n.owner)).map((n) => [n.id, n.owner]));
  l.beds.forEach((bed, i) => {
    for (const s of bands[i].streams) l.lanes.set(s, bed); // a row of its own comes after its group's
  });
  if (!isTall) pin(l, o.pins ?? new Map());
  return l;
}

/** @param {Layout} l @param {ReadonlyMap<string, {x: number, y: number}>} pins */
function pin(l, pins) {
  for (const [id, at] of pins) {
    const p = l.places.get(id);
    if (!p) continue;
    p.x = Math.min(l.width - p.w, Math.max(0, at.x));
    p.y = Math.min(l.height - p.h, Math.max(0, at.y));
    p.bank = p.y + p.h / 2 < l.river.y + l.river.h / 2 ? -1 : 1;
    p.pinned = true;
  }
}

/**
 * @param {Item[]} cards @param {Item[]} clients @param {Item|undefined} aside @param {import('./bands.js').Band[]} bands
 * @param {{width: number, height: number}} room @param {boolean} compact @param {Layout|undefined} keep @param {ReadonlySet<string>} later
 * @returns {Layout}
 */
function wide(cards, clients, aside, bands, room, compact, keep, later) {
  const d = compact ? CROWDED : WIDE, ids = cards.map((n) => n.id), first = ids.filter((id) => !later.has(id));
  const bank = Math.max(1, Math.ceil(first.length / 2));
  const sized = (/** @type {number} */ rows, who = first, before = keep?.seats) => {
    const s = seated(who, rows, before), cols = Math.max(s.cols, keep?.cols ?? 1);
    return { seats: s.seats, ...measure(d, cols, rows, clients.length, aside !== undefined, bands, keep) };
  };
  let best = sized(keep?.rows ?? 1);
  for (let rows = 2; !keep && rows <= Math.min(compact ? 9 : 4, bank); rows++) {
    const m = sized(rows);
    if (fit(m, room) > fit(best, room) * 1.02) best = m;
  }
  if (later.size > 0) { // they take what seats the others have left
    const before = keep?.seats ?? best.seats, now = sized(best.rows, ids, before);
    const all = keep ? now : sized(best.rows, [...first, ...later], before);
    best = fit(all, room) >= fit(best, room) * CHEAP ? { ...all, seats: now.seats } : now;
  }
  const { width, height, left, cols, rows, spacing, river, seats, base } = best;
  /** @type {Map<string, Place>} */
  const places = new Map();
  for (const [id, s] of seats) {
    const top = s.bank < 0 ? river.y - d.shore - (rows * (d.card.h + d.row) - d.row) : river.y + river.h + d.shore;
    places.set(id, { x: left + s.col * (d.card.w + d.gutter), y: top + s.row * (d.card.h + d.row), ...d.card, ...s });
  }
  const below = river.y + river.h + APART.gap;
  if (aside) places.set(aside.id, { x: 12, y: below, w: APART.w, h: APART.h, bank: 0, col: -1, row: 0 });
  const half = Math.ceil(clients.length / 2);
  clients.forEach((n, i) => {
    const upper = i < half, k = upper ? i : i - half;
    const top = upper ? d.top : below + (aside ? APART.h + 14 : d.shore);
    places.set(n.id, { x: 20, y: top + k * (CLIENT.h + 14), ...CLIENT, bank: 0, col: -1, row: k });
  });
  const head = Math.max(d.head, Math.min(200, 30 + 8.3 * Math.max(0, ...bands.map((b) => b.name.length))));
  const beds = bands.map((b, index) => {
    const y = river.y + 18 + index * spacing;
    return { x1: head, y1: y, x2: width - d.tail, y2: y, index };
  });
  return { tall: false, compact, width, height, river, bands, beds, lanes: new Map(), places, home: new Map(),
    caption: { x: 16, y: river.y - 6 }, cols, rows, gutter: d.gutter, seats, base };
}

/**
 * @param {typeof WIDE} d @param {number} cols @param {number} rows @param {number} clients @param {boolean} aside
 * @param {import('./bands.js').Band[]} bands @param {Layout|undefined} keep
 */
function measure(d, cols, rows, clients, aside, bands, keep) {
  const n = bands.some((b) => b.group) ? Math.max(bands.length + SPARE, GROUPED) : Math.max(bands.length, 2);
  const crowded = d === CROWDED, left = crowded ? 236 : clients > 0 || aside ? 20 + CLIENT.w + 44 : 44;
  const width = Math.max(880, keep?.width ?? 0, left + cols * (d.card.w + d.gutter) + (crowded ? d.tail : 6));
  const beside = Math.ceil(clients / 2) * (CLIENT.h + 14), stack = rows * (d.card.h + d.row) - d.row;
  const wish = crowded || n <= 4 ? LANE.few : n <= 8 ? LANE.more : LANE.many;
  const base = keep?.base ?? 36 + (n - 1) * wish, last = Math.max(1, bands.length - 1);
  const h = Math.max(base, 36 + last * LANE.least); // as high as it was, where its rows find room in that
  const spacing = Math.min(bands.length > 2 ? wish * 1.2 : wish, (h - 36) / last);
  const river = { x: 8, y: Math.max(keep?.river.y ?? 0, d.top + Math.max(stack, beside) + d.shore), w: width - 16, h };
  const foot = Math.max(d.shore + stack, APART.gap + (aside ? APART.h + 14 : d.shore) + Math.floor(clients / 2) * (CLIENT.h + 14) - 14);
  return { cols, rows, spacing, left, width, river, base, height: river.y + river.h + foot + BOTTOM };
}

/** @param {{width: number, height: number}} m @param {{width: number, height: number}} room */
export const fit = (m, room) => Math.min(room.width / m.width, room.height > 0 ? room.height / m.height : Infinity);

/**
 * @param {Item[]} cards @param {Item[]} clients @param {import('./bands.js').Band[]} bands
 * @param {{width: number, height: number}} room @param {boolean} compact @returns {Layout}
 */
function tall(cards, clients, bands, room, compact) {
  const width = Math.max(340, Math.min(460, room.width));
  const spacing = Math.min(22, 72 / Math.max(1, bands.length - 1));
  const riverW = 28 + Math.max(0, bands.length - 1) * spacing;
  const x = 6 + riverW + 34, w = width - x - 30;
  /** Of a card, and of the room between two: what waits before the one and behind the other. */
  const h = compact ? SMALL.h : CARD.h + 24, gap = compact ? 44 : 58;
  /** @type {Map<string, Place>} */
  const places = new Map();
  let y = 156;
  clients.forEach((n, row) => {
    places.set(n.id, { x, y, w, h: 94, bank: 0, col: 0, row });
    y += 94 + 30;
  });
  cards.forEach((n, i) => {
    places.set(n.id, { x, y, w, h, bank: 1, col: 0, row: clients.length + i });
    y += h + gap;
  });
  const height = Math.max(y, 300);
  const river = { x: 6, y: 72, w: riverW, h: height - 78 };
  const beds = bands.map((b, index) => {
    const lx = river.x + 14 + index * spacing;
    return { x1: lx, y1: 156, x2: lx, y2: height - 16, index };
  });
  return { tall: true, compact, width, height, river, bands, beds, lanes: new Map(), places, home: new Map(), caption: { x: 10, y: 6 },
    cols: 1, rows: 1, gutter: 38, seats: new Map(), base: river.h };
}
