// @ts-check
// Where everything stands: the river across the middle, services on both banks, clients at the left and with them the one
// service that takes no part in the bus. Pure and
// deterministic: positions depend on which nodes and streams there are and on the room, never on their state or traffic.

/** @typedef {{x: number, y: number, w: number, h: number}} Box */
/** @typedef {Box & {bank: -1|1|0, col: number, row: number}} Place bank: -1 above the river, 1 below, 0 beside it */
/** @typedef {{x1: number, y1: number, x2: number, y2: number, index: number}} LanePlace from its spring to its mouth */
/**
 * @typedef {object} Layout
 * @property {boolean} tall the phone's form: the river runs down the left edge, all cards at its right
 * @property {number} width
 * @property {number} height
 * @property {Box} river
 * @property {Map<string, LanePlace>} lanes by stream
 * @property {Map<string, Place>} places by id of service, client or store without owner
 * @property {Map<string, string>} home id of every node that is drawn in another's place (stores: their owner's)
 * @property {{x: number, y: number}} caption of the bus: its lower left corner; in the tall form its upper left one
 * @property {number} cols
 * @property {number} rows a bank
 */
/** @typedef {{id: string, kind: string, owner: string}} Item */

export const CARD = { w: 222, h: 136 };
const GUTTER = 38;
const CLIENT = { w: 150, h: 88 };
/** A service that takes no part in the bus: its store stands below it. */
const APART = { w: 164, h: 210, gap: 12 };
const LANE = { few: 30, more: 25, many: 22 };
/** Room between a bank's cards and the river: piles, outboxes and curves. */
const SHORE = 74;
/** Room between two rows of a bank: rails, arcs, piles and buttons. */
const ROW = 84;
const TOP = 100, BOTTOM = 60;
/** Height of a card in the tall form, and of the room between two: what waits before the one and behind the other. */
const TALL_CARD = CARD.h + 24, TALL_GAP = 58;
/** Below this width of the room the tall form is used. */
export const TALL = 640;

/**
 * @param {Iterable<Item>} nodes @param {Iterable<string>} streams @param {{width: number, height: number}} room
 * @param {ReadonlySet<string>} [apart] services that take no part in the bus; where it is one alone, it stands beside
 * @returns {Layout}
 */
export function layout(nodes, streams, room, apart = new Set()) {
  const all = [...nodes], names = [...streams];
  const ids = new Set(all.map((n) => n.id));
  const services = all.filter((n) => n.kind === 'service' || (n.kind === 'store' && !ids.has(n.owner)));
  const aside = apart.size === 1 && services.length > 1 ? services.find((n) => apart.has(n.id)) : undefined;
  const cards = services.filter((n) => n !== aside);
  const clients = all.filter((n) => n.kind === 'client');
  const home = new Map(all.filter((n) => n.kind === 'store' && ids.has(n.owner)).map((n) => [n.id, n.owner]));
  const l = room.width < TALL ? tall(aside ? [...cards, aside] : cards, clients, names, room) : wide(cards, clients, aside, names, room);
  l.home = home;
  return l;
}

/**
 * @param {Item[]} cards @param {Item[]} clients @param {Item|undefined} aside @param {string[]} streams
 * @param {{width: number, height: number}} room @returns {Layout}
 */
function wide(cards, clients, aside, streams, room) {
  const bank = Math.max(1, Math.ceil(cards.length / 2));
  let best = measure(bank, 1, clients.length, aside !== undefined, streams.length);
  for (let rows = 2; rows <= Math.min(4, bank); rows++) {
    const m = measure(bank, rows, clients.length, aside !== undefined, streams.length);
    if (fit(m, room) > fit(best, room) * 1.02) best = m;
  }
  const { width, height, left, cols, rows, spacing, river } = best;
  /** @type {Map<string, Place>} */
  const places = new Map();
  cards.forEach((n, i) => {
    const upper = i < bank;
    const k = upper ? i : i - bank;
    const row = Math.floor(k / cols), col = k % cols;
    const top = upper ? TOP : river.y + river.h + SHORE;
    places.set(n.id, { x: left + col * (CARD.w + GUTTER), y: top + row * (CARD.h + ROW), ...CARD, bank: upper ? -1 : 1, col, row });
  });
  const below = river.y + river.h + APART.gap;
  if (aside) places.set(aside.id, { x: 12, y: below, w: APART.w, h: APART.h, bank: 0, col: -1, row: 0 });
  clients.forEach((n, i) => {
    const half = Math.ceil(clients.length / 2), upper = i < half;
    const k = upper ? i : i - half;
    const top = upper ? TOP : below + (aside ? APART.h + 14 : SHORE);
    places.set(n.id, { x: 20, y: top + k * (CLIENT.h + 14), ...CLIENT, bank: 0, col: -1, row: k });
  });
  /** @type {Map<string, LanePlace>} */
  const lanes = new Map();
  streams.forEach((s, index) => {
    const y = river.y + 18 + index * spacing;
    lanes.set(s, { x1: 126, y1: y, x2: width - 92, y2: y, index });
  });
  return { tall: false, width, height, river, lanes, places, home: new Map(), caption: { x: 16, y: river.y - 6 }, cols, rows };
}

/**
 * @param {number} bank cards of the fuller bank @param {number} rows @param {number} clients @param {boolean} aside
 * @param {number} streams
 */
function measure(bank, rows, clients, aside, streams) {
  const cols = Math.ceil(bank / rows);
  const spacing = streams <= 4 ? LANE.few : streams <= 8 ? LANE.more : LANE.many;
  const left = clients > 0 || aside ? 20 + CLIENT.w + 44 : 44;
  const width = Math.max(880, left + cols * (CARD.w + GUTTER) + 6);
  const beside = Math.ceil(clients / 2) * (CLIENT.h + 14), stack = rows * (CARD.h + ROW) - ROW;
  const river = { x: 8, y: TOP + Math.max(stack, beside) + SHORE, w: width - 16, h: 36 + Math.max(0, Math.max(streams, 2) - 1) * spacing };
  const foot = Math.max(SHORE + stack, APART.gap + (aside ? APART.h + 14 : SHORE) + Math.floor(clients / 2) * (CLIENT.h + 14) - 14);
  return { cols, rows, spacing, left, width, river, height: river.y + river.h + foot + BOTTOM };
}

/** @param {{width: number, height: number}} m @param {{width: number, height: number}} room */
export const fit = (m, room) => Math.min(room.width / m.width, room.height > 0 ? room.height / m.height : Infinity);

/** @param {Item[]} cards @param {Item[]} clients @param {string[]} streams @param {{width: number, height: number}} room */
function tall(cards, clients, streams, room) {
  const width = Math.max(340, Math.min(460, room.width));
  const spacing = Math.min(22, 72 / Math.max(1, streams.length - 1));
  const riverW = 28 + Math.max(0, streams.length - 1) * spacing;
  const x = 6 + riverW + 34, w = width - x - 30;
  /** @type {Map<string, Place>} */
  const places = new Map();
  let y = 156;
  clients.forEach((n, row) => {
    places.set(n.id, { x, y, w, h: 94, bank: 0, col: 0, row });
    y += 94 + 30;
  });
  cards.forEach((n, i) => {
    places.set(n.id, { x, y, w, h: TALL_CARD, bank: 1, col: 0, row: clients.length + i });
    y += TALL_CARD + TALL_GAP;
  });
  const height = Math.max(y, 300);
  const river = { x: 6, y: 72, w: riverW, h: height - 78 };
  /** @type {Map<string, LanePlace>} */
  const lanes = new Map();
  streams.forEach((s, index) => {
    const lx = river.x + 14 + index * spacing;
    lanes.set(s, { x1: lx, y1: 156, x2: lx, y2: height - 16, index });
  });
  return { tall: true, width, height, river, lanes, places, home: new Map(), caption: { x: 10, y: 6 }, cols: 1, rows: 1 };
}
