// @ts-check
// The frames that the server sends: their types, and a parser that rejects what is not one.

/**
 * @typedef {'service'|'store'|'bus'|'client'} NodeKind
 * @typedef {'up'|'starting'|'paused'|'down'|'unknown'} State
 * @typedef {'works'|'slow'|'stale'|'fails'|'untried'} CellState
 * @typedef {{kind: string, copy: boolean}} Hold
 * @typedef {{id: string, name: string}} Named a kind of data or a pattern
 * @typedef {{id: string, name: string, crosses: boolean}} Feature
 * @typedef {{name: string, kinds: Named[], patterns: Named[], features: Feature[], max_load: number}} System
 * @typedef {{id: string, kind: NodeKind, label: string, engine: string, version: string, owner: string, state: State,
 *   since: number, reason: string, volatile: boolean, faults: string[], holds: Hold[], verbs: string[], rate: number,
 *   p50_ms: number, errors: number}} Node `since` in ms of the epoch, NaN when unknown
 * @typedef {{id: string, kind: 'emit'|'take'|'call', from: string, to: string, total: number, failed: number,
 *   rate: number, failed_rate: number, reason: string, p50_ms: number, waiting: number, pending: number,
 *   oldest_ms: number, trimmed_unread: boolean}} Edge
 * @typedef {{name: string, kind: string, length: number, total: number, rate: number, dead: boolean}} Lane
 * @typedef {{feature: string, pattern: string, state: CellState, success: number, tries: number, p50_ms: number,
 *   p99_ms: number, stale_ms: number, last_error: string}} Cell
 * @typedef {{seq: number, stream: string, entry_id: string, id: string, source: string, type: string, subject: string,
 *   version: number, time: number, node: string, problem: string}} Event
 * @typedef {{seq: number, at: number, node: string, tone: string, text: string}} Note
 * @typedef {{per_second: number, known: boolean}} Load
 * @typedef {{up: boolean, reason: string, rate: number, to_hub_ms: number}} Bus
 * @typedef {{from: number, rev: number, full: boolean, at: number, system: System|null, nodes: Node[], edges: Edge[],
 *   streams: Lane[], cells: Cell[], events: Event[], notes: Note[], load: Load|null, bus: Bus|null}} Frame
 */

/** A message that is not a frame; its text says where it is wrong. */
export class FrameError extends Error {}

/** @typedef {Record<string, unknown>} Raw */

/** @param {unknown} v @param {string} at @returns {Raw} */
function object(v, at) {
  if (typeof v !== 'object' || v === null || Array.isArray(v)) throw new FrameError(`${at} is not an object`);
  return /** @type {Raw} */ (v);
}

/** @param {Raw} o @param {string} k @param {string} at @returns {string} '' where absent */
function str(o, k, at) {
  const v = o[k];
  if (v === undefined || v === null) return '';
  if (typeof v !== 'string') throw new FrameError(`${at}.${k} is not a string`);
  return v;
}

/** @param {Raw} o @param {string} k @param {string} at @returns {string} */
function key(o, k, at) {
  const v = str(o, k, at);
  if (v === '') throw new FrameError(`${at}.${k} is missing`);
  return v;
}

/** @param {Raw} o @param {string} k @param {string} at @returns {number} 0 where absent */
function num(o, k, at) {
  const v = o[k];
  if (v === undefined || v === null) return 0;
  if (typeof v !== 'number' || !Number.isFinite(v)) throw new FrameError(`${at}.${k} is not a number`);
  return v;
}

/** @param {Raw} o @param {string} k @returns {boolean} */
const bool = (o, k) => o[k] === true;

/** @param {Raw} o @param {string} k @param {string} at @returns {number} ms of the epoch; NaN for none or Go's zero time */
function time(o, k, at) {
  const s = str(o, k, at);
  if (s === '' || s.startsWith('0001-')) return NaN;
  const ms = Date.parse(s);
  if (Number.isNaN(ms)) throw new FrameError(`${at}.${k} is not a time`);
  return ms;
}

/**
 * @template T
 * @param {Raw} o @param {string} k @param {string} at @param {(r: Raw, at: string) => T} each
 * @returns {T[]}
 */
function list(o, k, at, each) {
  const v = o[k];
  if (v === undefined || v === null) return [];
  if (!Array.isArray(v)) throw new FrameError(`${at}.${k} is not a list`);
  return v.map((x, i) => each(object(x, `${at}.${k}[${i}]`), `${at}.${k}[${i}]`));
}

/** @param {Raw} o @param {string} k @param {string} at @returns {string[]} */
function strings(o, k, at) {
  const v = o[k];
  if (v === undefined || v === null) return [];
  if (!Array.isArray(v) || v.some((x) => typeof x !== 'string')) throw new FrameError(`${at}.${k} is not a list of strings`);
  return v;
}

/**
 * @template {string} T
 * @param {string} v @param {readonly T[]} allowed @param {T} otherwise
 * @returns {T}
 */
function oneOf(v, allowed, otherwise) {
  return /** @type {readonly string[]} */ (allowed).includes(v) ? /** @type {T} */ (v) : otherwise;
}

const kinds = /** @type {const} */ (['service', 'store', 'bus', 'client']);
const states = /** @type {const} */ (['up', 'starting', 'paused', 'down', 'unknown']);
const edgeKinds = /** @type {const} */ (['emit', 'take', 'call']);
const cellStates = /** @type {const} */ (['works', 'slow', 'stale', 'fails', 'untried']);

/** @param {Raw} o @param {string} at @returns {Named} */
const named = (o, at) => ({ id: key(o, 'id', at), name: str(o, 'name', at) || key(o, 'id', at) });

/** @param {Raw} o @param {string} at @returns {Node} */
const node = (o, at) => ({
  id: key(o, 'id', at), kind: oneOf(str(o, 'kind', at), kinds, 'service'), label: str(o, 'label', at),
  engine: str(o, 'engine', at), version: str(o, 'version', at), owner: str(o, 'owner', at),
  state: oneOf(str(o, 'state', at), states, 'unknown'), since: time(o, 'since', at), reason: str(o, 'reason', at),
  volatile: bool(o, 'volatile'), faults: strings(o, 'faults', at), verbs: strings(o, 'verbs', at),
  holds: list(o, 'holds', at, (h, p) => ({ kind: key(h, 'kind', p), copy: bool(h, 'copy') })),
  rate: num(o, 'rate', at), p50_ms: num(o, 'p50_ms', at), errors: num(o, 'errors', at),
});

/** @param {Raw} o @param {string} at @returns {Edge} */
function edge(o, at) {
  const kind = str(o, 'kind', at);
  if (!(/** @type {readonly string[]} */ (edgeKinds)).includes(kind)) throw new FrameError(`${at}.kind is unknown`);
  return {
    id: key(o, 'id', at), kind: /** @type {Edge['kind']} */ (kind), from: key(o, 'from', at), to: key(o, 'to', at),
    total: num(o, 'total', at), failed: num(o, 'failed', at), rate: num(o, 'rate', at),
    failed_rate: num(o, 'failed_rate', at), reason: str(o, 'reason', at), p50_ms: num(o, 'p50_ms', at),
    waiting: num(o, 'waiting', at), pending: num(o, 'pending', at), oldest_ms: num(o, 'oldest_ms', at),
    trimmed_unread: bool(o, 'trimmed_unread'),
  };
}

/** @param {Raw} o @param {string} at @returns {Lane} */
const lane = (o, at) => ({
  name: key(o, 'name', at), kind: str(o, 'kind', at), length: num(o, 'length', at), total: num(o, 'total', at),
  rate: num(o, 'rate', at), dead: bool(o, 'dead'),
});

/** @param {Raw} o @param {string} at @returns {Cell} */
const cell = (o, at) => ({
  feature: key(o, 'feature', at), pattern: key(o, 'pattern', at),
  state: oneOf(str(o, 'state', at), cellStates, 'untried'), success: num(o, 'success', at), tries: num(o, 'tries', at),
  p50_ms: num(o, 'p50_ms', at), p99_ms: num(o, 'p99_ms', at), stale_ms: num(o, 'stale_ms', at),
  last_error: str(o, 'last_error', at),
});

/** @param {Raw} o @param {string} at @returns {Event} */
const event = (o, at) => ({
  seq: num(o, 'seq', at), stream: str(o, 'stream', at), entry_id: str(o, 'entry_id', at), id: str(o, 'id', at),
  source: str(o, 'source', at), type: str(o, 'type', at), subject: str(o, 'subject', at), version: num(o, 'version', at),
  time: time(o, 'time', at), node: str(o, 'node', at), problem: str(o, 'problem', at),
});

/** @param {Raw} o @param {string} at @returns {Note} */
const note = (o, at) => ({
  seq: num(o, 'seq', at), at: time(o, 'at', at), node: str(o, 'node', at), tone: str(o, 'tone', at), text: str(o, 'text', at),
});

/** @param {Raw} o @param {string} at @returns {System} */
const system = (o, at) => ({
  name: str(o, 'name', at), max_load: num(o, 'max_load', at), kinds: list(o, 'kinds', at, named),
  patterns: list(o, 'patterns', at, named),
  features: list(o, 'features', at, (f, p) => ({ ...named(f, p), crosses: bool(f, 'crosses') })),
});

/** @param {unknown} v @returns {Frame} @throws {FrameError} */
export function frame(v) {
  const o = object(v, 'frame');
  const full = bool(o, 'full');
  if (typeof o.rev !== 'number') throw new FrameError('frame.rev is not a number');
  if (full && (o.system === undefined || o.system === null)) throw new FrameError('a full frame has no system');
  const load = o.load ? object(o.load, 'frame.load') : null;
  const bus = o.bus ? object(o.bus, 'frame.bus') : null;
  return {
    from: num(o, 'from', 'frame'), rev: o.rev, full, at: time(o, 'at', 'frame'),
    system: o.system ? system(object(o.system, 'frame.system'), 'frame.system') : null,
    nodes: list(o, 'nodes', 'frame', node), edges: list(o, 'edges', 'frame', edge),
    streams: list(o, 'streams', 'frame', lane), cells: list(o, 'cells', 'frame', cell),
    events: list(o, 'events', 'frame', event), notes: list(o, 'notes', 'frame', note),
    load: load && { per_second: num(load, 'per_second', 'frame.load'), known: bool(load, 'known') },
    bus: bus && {
      up: bool(bus, 'up'), reason: str(bus, 'reason', 'frame.bus'), rate: num(bus, 'rate', 'frame.bus'),
      to_hub_ms: num(bus, 'to_hub_ms', 'frame.bus'),
    },
  };
}

/** @param {string} text @returns {Frame} @throws {FrameError} */
export function parse(text) {
  let v;
  try {
    v = JSON.parse(text);
  } catch (e) {
    throw new FrameError(`not JSON: ${e instanceof Error ? e.message : e}`);
  }
  return frame(v);
}
