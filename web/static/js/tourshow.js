// @ts-check
// What of the page a step is about: lit on the map and in the matrix while the rest is dim, and opened beside them.

import { byId } from './dom.js';
import { usesEdge } from './lens.js';
import { parted } from './tourparts.js';

/** @typedef {import('./world.js').World} World @typedef {import('./tourparts.js').Show} Show */

/** What of the map is lit; undefined: all of it. Where no nodes are named all are, of a pattern's those that it uses. Pure.
 * @param {World} w @param {Show} show @returns {import('./inspect.js').Path|undefined} */
export function lit(w, show) {
  if (show.nodes.length === 0 && show.streams.length === 0) return undefined;
  const pattern = w.system.patterns.find((p) => p.id === show.pattern), nodes = new Set(show.nodes.length > 0 ? show.nodes : pattern?.nodes ?? w.nodes.keys());
  const lanes = new Set(show.streams), on = (/** @type {string} */ id) => nodes.has(id) || nodes.has(w.nodes.get(id)?.owner ?? '');
  const edges = [...w.edges.values()].filter((e) => (e.kind === 'emit' ? on(e.from) && lanes.has(e.to) : e.kind === 'take' ? lanes.has(e.from) && on(e.to) : on(e.from) && on(e.to))
    && (!pattern || usesEdge(w, pattern, e))).map((e) => e.id);
  return { nodes, lanes, edges: new Set(edges) };
}

/** Whether a cell is one of those named. Pure. @param {string[]} cells "FEATURE in PATTERN", either may be "every" @param {string} feature @param {string} pattern */
export const names = (cells, feature, pattern) => cells.some((c) => {
  const p = parted(c);
  return [feature, 'every', 'every feature'].includes(p.feature) && [pattern, 'every', 'every pattern'].includes(p.pattern);
});

/** Marks the matrix: which cells matter now, which are asked for. @param {string[]} cells none: all alike @param {string[]} asked */
export function mark(cells, asked) {
  for (const td of /** @type {NodeListOf<HTMLElement>} */ (byId('matrix').querySelectorAll('.cell'))) {
    const { feature = '', pattern = '' } = td.dataset;
    td.classList.toggle('unlit', cells.length > 0 && !names(cells, feature, pattern));
    td.classList.toggle('asked', names(asked, feature, pattern));
  }
}
