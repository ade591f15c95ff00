// @ts-check
// What of the map one pattern uses. Pure.

/** @typedef {import('./world.js').World} World */
/** @typedef {import('./messages.js').Pattern} Pattern */

/** @param {Pattern} p @param {import('./messages.js').Node} n */
export const usesNode = (p, n) => p.nodes.includes(n.id) || (n.kind === 'bus' && p.streams.length > 0);

/** @param {Pattern} p @param {string} stream */
export const usesLane = (p, stream) => p.streams.includes(stream);

/** @param {World} w @param {Pattern} p @param {import('./messages.js').Edge} e */
export function usesEdge(w, p, e) {
  switch (e.kind) {
    case 'emit': return usesLane(p, e.to) && p.nodes.includes(e.from);
    case 'take': return usesLane(p, e.from) && p.nodes.includes(e.to);
    case 'reach': return p.reaches && p.nodes.includes(e.from) && p.nodes.includes(e.to);
    default: return p.nodes.includes(e.from) && p.nodes.includes(e.to) && (p.calls || w.nodes.get(e.from)?.kind === 'client');
  }
}

/** @typedef {{nodes: string[], streams: string[], edges: string[]}} Path of one event or the like, by ids; a store's node lights its owner's card */

/** @type {Path|null} */
let lit = null;
/** @type {(() => void)[]} */
const told = [];

/** Sets what alone is strong, whatever pattern is chosen; null ends it. @param {Path|null} path */
export function highlight(path) {
  lit = path;
  for (const f of told) f();
}

/** @type {string} */
let aimed = '';

/** Its connections alone are strong, as long as nothing is highlighted. @param {string} node id of a card's; '' ends it */
export function aim(node) {
  if (aimed === node) return;
  aimed = node;
  for (const f of told) f();
}

/** @param {() => void} f told whenever what is highlighted or aimed at changes */
export const onHighlight = (f) => told.push(f);

/** What is not of the highlight, else of the chosen pattern, for the map to draw faintly. */
export class Lens {
  /** @param {World} w @param {string} chosen id of a pattern; '' or unknown: all */
  constructor(w, chosen) {
    this.w = w;
    this.pattern = w.system.patterns.find((p) => p.id === chosen);
    this.lit = lit;
    this.aimed = w.nodes.has(aimed) ? aimed : '';
  }

  /** Whether some of the map alone is strong. */
  get chooses() {
    return this.pattern !== undefined || this.lit !== null || this.aimed !== '';
  }

  /** @param {import('./messages.js').Node|undefined} n */
  hidesNode(n) {
    if (this.lit && n) return !this.lit.nodes.includes(n.id);
    return this.pattern !== undefined && n !== undefined && !usesNode(this.pattern, n);
  }

  /** @param {import('./messages.js').Edge} e */
  hidesEdge(e) {
    if (this.lit) return !this.lit.edges.includes(e.id);
    if (this.aimed && !touches(this.w, e, this.aimed)) return true;
    return this.pattern !== undefined && !usesEdge(this.w, this.pattern, e);
  }

  /** @param {string} stream */
  hidesLane(stream) {
    if (this.lit) return !this.lit.streams.includes(stream);
    return this.pattern !== undefined && !usesLane(this.pattern, stream);
  }
}

/** Whether an edge begins or ends at a card. @param {World} w @param {import('./messages.js').Edge} e @param {string} node */
const touches = (w, e, node) => (e.kind !== 'take' && e.from === node) || (e.kind !== 'emit' && (e.to === node || w.nodes.get(e.to)?.owner === node));
