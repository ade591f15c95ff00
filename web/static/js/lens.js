// @ts-check
// What of the map one pattern uses, or belongs to what is open beside it. Pure.

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
  }

  /** Whether not all of the map is meant. */
  get picks() {
    return this.pattern !== undefined || this.path !== undefined;
  }

  /** @param {import('./messages.js').Node|undefined} n */
  hidesNode(n) {
    if (this.path && n) return !this.path.nodes.has(n.id) && !this.path.nodes.has(n.owner);
    return this.pattern !== undefined && n !== undefined && !usesNode(this.pattern, n);
  }

  /** @param {import('./messages.js').Edge} e */
  hidesEdge(e) {
    if (this.path) return !this.path.edges.has(e.id);
    return this.pattern !== undefined && !usesEdge(this.w, this.pattern, e);
  }

  /** @param {string} stream */
  hidesLane(stream) {
    if (this.path) return !this.path.lanes.has(stream);
    return this.pattern !== undefined && !usesLane(this.pattern, stream);
  }
}
