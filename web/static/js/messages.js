// @ts-check
// The frames that the server sends: their types, and a parser that rejects what is not one.

import { bool, FrameError, json, key, list, num, numbers, object, oneOf, str, strings, time } from './parse.js';

/**
 * @typedef {'service'|'store'|'bus'|'client'} NodeKind
 * @typedef {'up'|'starting'|'paused'|'down'|'unknown'} State
 * @typedef {'works'|'slow'|'stale'|'fails'|'untried'} CellState
 * @typedef {{kind: string, copy: boolean}} Hold
 * @typedef {{id: string, name: string}} Named a kind of data
 * @typedef {{id: string, name: string, say: string, nodes: string[], calls: boolean, reaches: boolean,
 *   streams: string[]}} Pattern a column of the matrix and what of the map it uses
 * @typedef {{id: string, name: string, crosses: boolean}} Feature
 * @typedef {{name: string, kinds: Named[], patterns: Pattern[], features: Feature[], max_load: number,
 *   later: string[]}} System later: nodes that may join later
 * @typedef {{kind: string, latency_ms: number, share: number}} Fault slow | cut | errors; one unknown here is shown by its name
 * @typedef {{waiting: number, more: boolean, oldest_ms: number}} Outbox waiting: that were counted, -1 unknown; more: there are
 * @typedef {{cpu: number, cpu_limit: number, memory: number, memory_limit: number}} Use cores and bytes; a limit of 0 is none
 * @typedef {{id: string, state: State, since: number, reason: string, pending: number, faults: Fault[]}} Replica pending:
 *   entries that it holds unacknowledged over all streams, -1 unknown
 * @typedef {{id: string, kind: NodeKind, label: string, engine: string, version: string, owner: string, state: State,
 *   since: number, reason: string, volatile: boolean, faults: Fault[], outbox: Outbox, holds: Hold[], verbs: string[],
 *   rate: number, p50_ms: number, errors: number, use: Use|null, replicas: Replica[]}} Node `since` in ms of the epoch, NaN when
 *   unknown; replicas by id, of a node that runs more than once
 * @typedef {{id: string, kind: 'emit'|'take'|'call'|'reach', from: string, to: string, total: number, failed: number,
 *   rate: number, failed_rate: number, reason: string, p50_ms: number, waiting: number, pending: number,
 *   oldest_ms: number, trimmed_unread: boolean, missed: number, dead: number}} Edge missed: how many were trimmed unread, 0
 *   unknown; dead: letters of a take edge's group, -1 unknown
 * @typedef {{name: string, kind: string, length: number, total: number, rate: number, dead: boolean, bytes: number,
 *   keep_entries: number, keep_bytes: number, first_at: number}} Lane bytes: in the bus's memory, -1 unknown; keep: the bounds
 *   that are declared, 0 none; first_at: of the oldest entry, NaN for none
 * @typedef {{node: string, service: string, kind: string, copy: boolean, known: boolean, why: string, count: number,
 *   bytes: number, estimated: boolean, stale_ms: number, worst_ms: number, behind: number}} Holding what a store has of a kind;
 *   why: it is not known
 * @typedef {{services: number, hops: number, messages: number, depth: number}} Cost of one typical request
 * @typedef {{feature: string, pattern: string, state: CellState, success: number, tries: number, p50_ms: number,
 *   p99_ms: number, stale_ms: number, last_error: string, because: string[], cost: Cost|null,
 *   trace: string}} Cell
 * @typedef {{seq: number, stream: string, entry_id: string, id: string, source: string, type: string, subject: string,
 *   version: number, time: number, node: string, problem: string, size: number, again: boolean}} Event size: bytes of one whose
 *   payload is not kept for that, else 0; again: the stream had it before
 * @typedef {{seq: number, at: number, node: string, tone: string, text: string}} Note
 * @typedef {{per_second: number, known: boolean, patterns: Record<string, number>, features: Record<string, number>,
 *   dropped: number}} Load patterns: weights; features: shares, 0 to 1
 * @typedef {{up: boolean, reason: string, rate: number, to_hub_ms: number}} Bus
 * @typedef {{can: boolean, why: string}} Control whether nodes can be acted on here, and if not, why
 * @typedef {{from: number, rev: number, full: boolean, at: number, system: System|null, nodes: Node[], edges: Edge[],
 *   streams: Lane[], cells: Cell[], events: Event[], notes: Note[], load: Load|null, bus: Bus|null,
 *   control: Control|null, copies: Holding[]}} Frame control: null where nothing is known of it or it did not change
 */
/** @typedef {import('./parse.js').Raw} Raw */

const kinds = /** @type {const} */ (['service', 'store', 'bus', 'client']);
const states = /** @type {const} */ (['up', 'starting', 'paused', 'down', 'unknown']);
const edgeKinds = /** @type {const} */ (['emit', 'take', 'call', 'reach']);
const cellStates = /** @type {const} */ (['works', 'slow', 'stale', 'fails', 'untried']);

/** @param {Raw} o @param {string} at @returns {Named} */
const named = (o, at) => ({ id: key(o, 'id', at), name: str(o, 'name', at) || key(o, 'id', at) });

/** @param {Raw} o @param {string} at @returns {Fault} */
const fault = (o, at) => ({ kind: key(o, 'kind', at), latency_ms: num(o, 'latency_ms', at), share: num(o, 'share', at) });

/** @param {Raw} o @param {string} at @returns {Outbox} */
function outbox(o, at) {
  const b = o.outbox === undefined || o.outbox === null ? {} : object(o.outbox, `${at}.outbox`);
  return { waiting: num(b, 'waiting', `${at}.outbox`), more: bool(b, 'more'), oldest_ms: num(b, 'oldest_ms', `${at}.outbox`) };
}

/** @param {Raw} o @param {string} at @returns {Use|null} */
function use(o, at) {
  if (o.use === undefined || o.use === null) return null;
  const u = object(o.use, `${at}.use`), n = (/** @type {string} */ k) => num(u, k, `${at}.use`);
  return { cpu: n('cpu'), cpu_limit: n('cpu_limit'), memory: n('memory'), memory_limit: n('memory_limit') };
}

/** @param {Raw} o @param {string} at @returns {Replica} */
const replica = (o, at) => ({
  id: key(o, 'id', at), state: oneOf(str(o, 'state', at), states, 'unknown'), since: time(o, 'since', at), reason: str(o, 'reason', at),
  pending: num(o, 'pending', at), faults: list(o, 'faults', at, fault),
});

/** @param {Raw} o @param {string} at @returns {Node} */
export const node = (o, at) => ({
  id: key(o, 'id', at), kind: oneOf(str(o, 'kind', at), kinds, 'service'), label: str(o, 'label', at),
  engine: str(o, 'engine', at), version: str(o, 'version', at), owner: str(o, 'owner', at),
  state: oneOf(str(o, 'state', at), states, 'unknown'), since: time(o, 'since', at), reason: str(o, 'reason', at),
  volatile: bool(o, 'volatile'), faults: list(o, 'faults', at, fault), outbox: outbox(o, at), verbs: strings(o, 'verbs', at),
  holds: list(o, 'holds', at, (h, p) => ({ kind: key(h, 'kind', p), copy: bool(h, 'copy') })),
  rate: num(o, 'rate', at), p50_ms: num(o, 'p50_ms', at), errors: num(o, 'errors', at),
  use: use(o, at), replicas: list(o, 'replicas', at, replica),
});

/** @param {Raw} o @param {string} at @returns {Edge} */
export function edge(o, at) {
  const kind = str(o, 'kind', at);
  if (!(/** @type {readonly string[]} */ (edgeKinds)).includes(kind)) throw new FrameError(`${at}.kind is unknown`);
  return {
    id: key(o, 'id', at), kind: /** @type {Edge['kind']} */ (kind), from: key(o, 'from', at), to: key(o, 'to', at),
    total: num(o, 'total', at), failed: num(o, 'failed', at), rate: num(o, 'rate', at),
    failed_rate: num(o, 'failed_rate', at), reason: str(o, 'reason', at), p50_ms: num(o, 'p50_ms', at),
    waiting: num(o, 'waiting', at), pending: num(o, 'pending', at), oldest_ms: num(o, 'oldest_ms', at),
    trimmed_unread: bool(o, 'trimmed_unread'), missed: num(o, 'missed', at), dead: num(o, 'dead', at),
  };
}

/** @param {Raw} o @param {string} at @returns {Lane} */
export const lane = (o, at) => ({
  name: key(o, 'name', at), kind: str(o, 'kind', at), length: num(o, 'length', at), total: num(o, 'total', at),
  rate: num(o, 'rate', at), dead: bool(o, 'dead'), bytes: o.bytes === undefined ? -1 : num(o, 'bytes', at),
  keep_entries: num(o, 'keep_entries', at), keep_bytes: num(o, 'keep_bytes', at), first_at: time(o, 'first_at', at),
});

/** @param {Raw} o @param {string} at @returns {Holding} */
export const holding = (o, at) => ({
  node: key(o, 'node', at), service: str(o, 'service', at), kind: key(o, 'kind', at), copy: bool(o, 'copy'), known: bool(o, 'known'),
  why: str(o, 'why', at), count: num(o, 'count', at), bytes: num(o, 'bytes', at), estimated: bool(o, 'estimated'),
  stale_ms: num(o, 'stale_ms', at), worst_ms: num(o, 'worst_ms', at), behind: num(o, 'behind', at),
});

/** @param {Raw} o @param {string} k @param {string} at @returns {Cost|null} */
export function cost(o, k, at) {
  if (o[k] === undefined || o[k] === null) return null;
  const c = object(o[k], `${at}.${k}`);
  const n = (/** @type {string} */ x) => num(c, x, `${at}.${k}`);
  return { services: n('services'), hops: n('hops'), messages: n('messages'), depth: n('depth') };
}

/** @param {Raw} o @param {string} at @returns {Cell} */
export const cell = (o, at) => ({
  feature: key(o, 'feature', at), pattern: key(o, 'pattern', at),
  state: oneOf(str(o, 'state', at), cellStates, 'untried'), success: num(o, 'success', at), tries: num(o, 'tries', at),
  p50_ms: num(o, 'p50_ms', at), p99_ms: num(o, 'p99_ms', at), stale_ms: num(o, 'stale_ms', at),
  last_error: str(o, 'last_error', at), because: strings(o, 'because', at), cost: cost(o, 'cost', at), trace: str(o, 'trace', at),
});

/** @param {Raw} o @param {string} at @returns {Event} */
export const event = (o, at) => ({
  seq: num(o, 'seq', at), stream: str(o, 'stream', at), entry_id: str(o, 'entry_id', at), id: str(o, 'id', at),
  source: str(o, 'source', at), type: str(o, 'type', at), subject: str(o, 'subject', at), version: num(o, 'version', at),
  time: time(o, 'time', at), node: str(o, 'node', at), problem: str(o, 'problem', at),
  size: num(o, 'size', at), again: bool(o, 'again'),
});

/** @param {Raw} o @param {string} at @returns {Note} */
const note = (o, at) => ({
  seq: num(o, 'seq', at), at: time(o, 'at', at), node: str(o, 'node', at), tone: str(o, 'tone', at), text: str(o, 'text', at),
});

/** @param {Raw} o @param {string} at @returns {Pattern} */
const pattern = (o, at) => ({
  ...named(o, at), say: str(o, 'say', at), nodes: strings(o, 'nodes', at), calls: bool(o, 'calls'),
  reaches: bool(o, 'reaches'), streams: strings(o, 'streams', at),
});

/** @param {Raw} o @param {string} at @returns {System} */
const system = (o, at) => ({
  name: str(o, 'name', at), max_load: num(o, 'max_load', at), kinds: list(o, 'kinds', at, named),
  patterns: list(o, 'patterns', at, pattern), later: strings(o, 'later', at),
  features: list(o, 'features', at, (f, p) => ({ ...named(f, p), crosses: bool(f, 'crosses') })),
});

/** @param {unknown} v @returns {Frame} @throws {FrameError} */
export function frame(v) {
  const o = object(v, 'frame');
  const full = bool(o, 'full');
  if (typeof o.rev !== 'number') throw new FrameError('frame.rev is not a number');
  if (full && (o.system === undefined || o.system === null)) throw new FrameError('a full frame has no system');
  const load = o.load ? object(o.load, 'frame.load') : null;
  const control = o.control ? object(o.control, 'frame.control') : null;
  const bus = o.bus ? object(o.bus, 'frame.bus') : null;
  return {
    from: num(o, 'from', 'frame'), rev: o.rev, full, at: time(o, 'at', 'frame'),
    system: o.system ? system(object(o.system, 'frame.system'), 'frame.system') : null,
    nodes: list(o, 'nodes', 'frame', node), edges: list(o, 'edges', 'frame', edge),
    streams: list(o, 'streams', 'frame', lane), cells: list(o, 'cells', 'frame', cell),
    events: list(o, 'events', 'frame', event), notes: list(o, 'notes', 'frame', note),
    copies: list(o, 'copies', 'frame', holding),
    load: load && {
      per_second: num(load, 'per_second', 'frame.load'), known: bool(load, 'known'), dropped: num(load, 'dropped', 'frame.load'),
      patterns: numbers(load, 'patterns', 'frame.load'), features: numbers(load, 'features', 'frame.load'),
    },
    bus: bus && {
      up: bool(bus, 'up'), reason: str(bus, 'reason', 'frame.bus'), rate: num(bus, 'rate', 'frame.bus'),
      to_hub_ms: num(bus, 'to_hub_ms', 'frame.bus'),
    },
    control: control && { can: bool(control, 'can'), why: str(control, 'why', 'frame.control') },
  };
}

/** @param {string} text @returns {Frame} @throws {FrameError} */
export const parse = (text) => frame(json(text));
