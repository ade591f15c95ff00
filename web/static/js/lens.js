// @ts-check
// What of the map one pattern uses, or belongs to what is open beside it. Pure.

/** @typedef {import('./world.js').World} World */
/** @typedef {import('./messages.js').Pattern} Pattern */

/** @param {World} w @param {Pattern} p @param {import('./messages.js').Node} n */
export const usesNode = (w, p, n) => has(w, p, n.id) || (n.kind === 'bus' && p.streams.length > 0);

/** A service that joined later is in no feature's needs: the streams that it reads say where it belongs. @param {World} w @param {Pattern} p @param {string} id */
function has(w, p, id) {
  if (p.nodes.includes(id)) return true;
  const service = w.nodes.get(id)?.owner || id;
  return w.system.later.includes(service) && [...w.edges.values()].some((e) => e.kind === 'take' && e.to === service && usesLane(p, e.from));
}

/** @param {Pattern} p @param {string} stream */
export const usesLane = (p, stream) => p.streams.includes(stream);

/** @param {World} w @param {Pattern} p @param {import('./messages.js').Edge} e */
export function usesEdge(w, p, e) {
  switch (e.kind) {
    case 'emit': return usesLane(p, e.to) && has(w, p, e.from);
    case 'take': return usesLane(p, e.from) && has(w, p, e.to);
    case 'reach': return p.reaches && has(w, p, e.from) && has(w, p, e.to);
    default: return has(w, p, e.from) && has(w, p, e.to) && (p.calls || w.nodes.get(e.from)?.kind === 'client');
  }
}

/** @type {string} */
let aimed = '';
/** @type {(() => void)[]} */
const told = [];

/** Its connections alone are strong, as long as nothing is looked into. @param {string} node id of a card's; '' ends it */
export function aim(node) {
  if (aimed === node) return;
  aimed = node;
  for (const f of told) f();
}

/** @param {() => void} f told whenever another card is aimed at */
export const onAim = (f) => told.push(f);

/** What is not meant, for the map to draw faintly. */
export class Lens {
  /**
   * @param {World} w @param {string} chosen id of a pattern; '' or unknown: all
   * @param {import('./inspect.js').Path} [path] alone is strong while there is one, whatever was chosen
   */
  constructor(w, chosen, path) {
    this.w = w;
    this.pattern = w.system.patterns.find((p) => p.id === chosen);
    this.path = path;
    this.aimed = w.nodes.has(aimed) ? aimed : '';
  }

  /** Whether some of the map alone is strong. */
  get chooses() {
    return this.pattern !== undefined || this.path !== undefined || this.aimed !== '';
  }

  /** @param {import('./messages.js').Node|undefined} n */
  hidesNode(n) {
    if (this.path && n) return !this.path.nodes.has(n.id) && !this.path.nodes.has(n.owner);
    return this.pattern !== undefined && n !== undefined && !usesNode(this.w, this.pattern, n);
  }

  /** @param {import('./messages.js').Edge} e */
  hidesEdge(e) {
    if (this.path) return !this.path.edges.has(e.id);
    if (this.aimed && !touches(this.w, e, this.aimed)) return true;
    return this.pattern !== undefined && !usesEdge(this.w, this.pattern, e);
  }

  /** @param {string} stream */
  hidesLane(stream) {
    if (this.path) return !this.path.lanes.has(stream);
    return this.pattern !== undefined && !usesLane(this.pattern, stream);
  }
}

/** Whether an edge begins or ends at a card. @param {World} w @param {import('./messages.js').Edge} e @param {string} node */
const touches = (w, e, node) => (e.kind !== 'take' && e.from === node) || (e.kind !== 'emit' && (e.to === node || w.nodes.get(e.to)?.owner === node));
