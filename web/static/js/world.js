// @ts-check
// What is known now: applies full frames and diffs. Pure; no DOM, no clock.

/** @typedef {import('./messages.js').Frame} Frame */
/**
 * What the page knows. Maps keep the order of the full frame: that is the order on the screen.
 * @typedef {object} World
 * @property {number} rev
 * @property {number} at the server's clock at the last frame, ms of the epoch
 * @property {import('./messages.js').System} system
 * @property {Map<string, import('./messages.js').Node>} nodes by id
 * @property {Map<string, import('./messages.js').Edge>} edges by id
 * @property {Map<string, import('./messages.js').Lane>} streams by name
 * @property {Map<string, import('./messages.js').Cell>} cells by cellKey
 * @property {import('./messages.js').Event[]} events newest last, at most EVENTS
 * @property {import('./messages.js').Note[]} notes newest last, at most NOTES
 * @property {import('./messages.js').Load} load
 * @property {import('./messages.js').Bus} bus
 * @property {import('./messages.js').Control|null} control null: not known
 * @property {Map<string, import('./messages.js').Holding>} copies what stores hold, by node and kind
 * @property {ReadonlySet<string>} apart services that take no part in the bus, as the last full frame had it
 */
/**
 * How far an edge's or lane's counts grew: what the dots show.
 * @typedef {object} Flow
 * @property {'emit'|'take'|'call'|'reach'|'lane'|'wait'} kind lane: entries of a stream whose emitter is unknown; wait: entries
 *   that came to stand at a consumer's door
 * @property {string} id of the edge; of the stream for a lane
 * @property {string} stream '' for calls and reaches
 * @property {number} count
 * @property {number} failed of count
 * @property {boolean} backlog a take from a pile that stood at the door already
 */
/** @typedef {{world: World, flows: Flow[], shape: boolean, gap: boolean}} Applied shape: nodes or lanes came or went;
 *   gap: the frame starts after what is known, a full one is needed */

export const EVENTS = 40;
export const NOTES = 60;
/** From so many waiting events on, a pile is shown. */
export const PILE = 3;

/** @returns {World} nothing known */
export function empty() {
  return {
    rev: -1, at: NaN, system: { name: '', kinds: [], patterns: [], features: [], max_load: 0, later: [] }, nodes: new Map(),
    edges: new Map(), streams: new Map(), cells: new Map(), events: [], notes: [], load: { per_second: 0, known: false, patterns: {}, features: {}, dropped: 0 },
    bus: { up: false, reason: '', rate: 0, to_hub_ms: 0 }, control: null, copies: new Map(), apart: new Set(),
  };
}

/** @param {string} feature @param {string} pattern */
export const cellKey = (feature, pattern) => `${feature}\u0000${pattern}`;

/** @param {import('./messages.js').Holding} h */
const heldKey = (h) => `${h.node}\u0000${h.kind}`;

/**
 * @template T
 * @param {Map<string, T>} old @param {T[]} parts @param {(t: T) => string} keyOf
 */
function replaced(old, parts, keyOf) {
  if (parts.length === 0) return old;
  const m = new Map(old);
  for (const p of parts) m.set(keyOf(p), p);
  return m;
}

/**
 * @template {{seq: number}} T
 * @param {T[]} old @param {T[]} more @param {number} max
 */
function bySeq(old, more, max) {
  if (more.length === 0) return old;
  const m = new Map(old.map((x) => [x.seq, x]));
  for (const x of more) m.set(x.seq, x);
  return [...m.values()].sort((a, b) => a.seq - b.seq).slice(-max);
}

/** @param {World} w @param {Frame} f @returns {Applied} the world after the frame; w is not changed */
export function apply(w, f) {
  if (f.full) return { world: whole(f), flows: [], shape: true, gap: false };
  if (f.from > w.rev) return { world: w, flows: [], shape: false, gap: true };
  if (f.rev < w.rev) return { world: w, flows: [], shape: false, gap: false };
  const world = {
    ...w, rev: f.rev, at: Number.isNaN(f.at) ? w.at : f.at,
    nodes: replaced(w.nodes, f.nodes, (n) => n.id), edges: replaced(w.edges, f.edges, (e) => e.id),
    streams: replaced(w.streams, f.streams, (s) => s.name),
    cells: replaced(w.cells, f.cells, (c) => cellKey(c.feature, c.pattern)),
    events: bySeq(w.events, f.events, EVENTS), notes: bySeq(w.notes, f.notes, NOTES),
    load: f.load ?? w.load, bus: f.bus ?? w.bus, system: f.system ?? w.system,
    control: f.control ?? w.control, copies: replaced(w.copies, f.copies, heldKey),
  };
  const shape = world.nodes.size !== w.nodes.size || world.streams.size !== w.streams.size || f.system !== null;
  return { world, flows: flows(w, f), shape, gap: false };
}

/** @param {Frame} f @returns {World} */
function whole(f) {
  const w = empty();
  return {
    rev: f.rev, at: f.at, system: f.system ?? w.system, nodes: replaced(w.nodes, f.nodes, (n) => n.id),
    edges: replaced(w.edges, f.edges, (e) => e.id), streams: replaced(w.streams, f.streams, (s) => s.name),
    cells: replaced(w.cells, f.cells, (c) => cellKey(c.feature, c.pattern)), events: bySeq([], f.events, EVENTS),
    notes: bySeq([], f.notes, NOTES), load: f.load ?? w.load, bus: f.bus ?? w.bus, control: f.control, copies: replaced(w.copies, f.copies, heldKey), apart: apart(f),
  };
}

/** Taken from full frames alone, so that no node changes its place when its first event flows. @param {Frame} f */
function apart(f) {
  const part = new Set(f.edges.flatMap((e) => (e.kind === 'emit' ? [e.from] : e.kind === 'take' ? [e.to] : [])));
  return new Set(part.size === 0 ? [] : f.nodes.filter((n) => n.kind === 'service' && !part.has(n.id)).map((n) => n.id));
}

/**
 * What grew between the world and the frame's parts. An edge that is new in a diff counts from 0; what a lane grew beyond
 * its emitters' edges is a flow of the lane itself, so that no entry goes unseen.
 * @param {World} w @param {Frame} f @returns {Flow[]}
 */
function flows(w, f) {
  /** @type {Flow[]} */
  const out = [];
  /** @type {Map<string, number>} */
  const emitted = new Map();
  for (const e of f.edges) {
    const old = w.edges.get(e.id);
    const count = Math.max(0, e.total - (old?.total ?? 0));
    const failed = Math.min(count, Math.max(0, e.failed - (old?.failed ?? 0)));
    const stream = e.kind === 'emit' ? e.to : e.kind === 'take' ? e.from : '';
    const backlog = e.kind === 'take' && (old?.waiting ?? 0) >= PILE;
    if (e.kind === 'emit') emitted.set(stream, (emitted.get(stream) ?? 0) + count);
    if (count > 0) out.push({ kind: e.kind, id: e.id, stream, count, failed, backlog });
    const more = e.kind === 'take' && e.waiting >= PILE ? e.waiting - Math.max(0, old?.waiting ?? 0) : 0;
    if (more > 0) out.push({ kind: 'wait', id: e.id, stream, count: more, failed: 0, backlog: false });
  }
  for (const s of f.streams) {
    const count = s.total - (w.streams.get(s.name)?.total ?? 0) - (emitted.get(s.name) ?? 0);
    if (count > 0) out.push({ kind: 'lane', id: s.name, stream: s.name, count, failed: 0, backlog: false });
  }
  return out;
}

/**
 * What waits at a service's door, over all streams that it takes.
 * @param {World} w @param {string} service
 * @returns {{known: number, unknown: boolean, oldest_ms: number, trimmed: boolean, missed: number, streams: {name: string, waiting: number}[]}}
 */
export function waiting(w, service) {
  const sum = { known: 0, unknown: false, oldest_ms: 0, trimmed: false, missed: 0, streams: /** @type {{name: string, waiting: number}[]} */ ([]) };
  for (const e of w.edges.values()) {
    if (e.kind !== 'take' || e.to !== service) continue;
    sum.trimmed ||= e.trimmed_unread;
    sum.missed += e.missed;
    if (e.waiting < 0 && (w.streams.get(e.from)?.length ?? 0) > 0) sum.unknown = true; // of an empty stream nothing waits
    if (e.waiting <= 0) continue;
    sum.known += e.waiting;
    sum.oldest_ms = Math.max(sum.oldest_ms, e.oldest_ms);
    sum.streams.push({ name: e.from, waiting: e.waiting });
  }
  return sum;
}

/** Whether a service's copy of a kind is behind: events of it wait at its door. @param {World} w @param {string} service @param {string} kind */
export function behind(w, service, kind) {
  for (const e of w.edges.values()) {
    if (e.kind === 'take' && e.to === service && e.waiting >= PILE && w.streams.get(e.from)?.kind === kind) return true;
  }
  return false;
}

/** Where all copies of a stream's subject can be seen; '' where it is told of nothing that stores are known to hold.
 * @param {World} w @param {string} stream @param {string} subject @returns {string} a way of the panel of data */
export function wayTo(w, stream, subject) {
  const kind = w.streams.get(stream)?.kind ?? '';
  const held = subject !== '' && kind !== '' && [...w.copies.values()].some((h) => h.kind === kind);
  return held ? `copies/${encodeURIComponent(kind)}/${encodeURIComponent(subject)}` : '';
}

/** The stores of a node. @param {World} w @param {string} id */
export const storesOf = (w, id) => [...w.nodes.values()].filter((n) => n.kind === 'store' && n.owner === id);

/**
 * A stream's colour, by its class's ending: that of its kind of data; one without a kind is plain. Where the system names no
 * kinds at all, each stream has one of its own.
 * @param {World} w @param {string} stream @returns {string} '0' to '7', or PLAIN
 */
export function colourOf(w, stream) {
  const kind = w.streams.get(stream)?.kind ?? '';
  const i = w.system.kinds.length > 0 ? w.system.kinds.findIndex((k) => k.id === kind) : [...w.streams.keys()].indexOf(stream);
  return i >= 0 ? String(i % COLOURS) : PLAIN;
}

/** So many kind colours are in tokens.css. */
export const COLOURS = 8;
/** The colour of what is of no kind. */
export const PLAIN = 'plain';
