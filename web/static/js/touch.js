// @ts-check
// Tells others what of the map is to be looked into: an "inspect" event at #map for a card, drum, lane or connection that was
// clicked. Buttons keep their clicks for themselves.

/** @typedef {{kind: 'node'|'stream'|'edge', id: string}} Inspected */

/** Whether text of the map is marked: then a click ends that. @param {HTMLElement} map */
const marked = (map) => {
  const s = getSelection();
  return s !== null && !s.isCollapsed && map.contains(s.anchorNode);
};

/** How far from a connection a click still means it, pixels. */
const NEAR = 8;

/**
 * @param {HTMLElement} map @param {import('./view.js').View} view @param {import('./pins.js').Pins} pins
 * @param {import('./edges.js').Edges} edges @param {import('./river.js').River} river
 */
export function inspects(map, view, pins, edges, river) {
  const tell = (/** @type {Inspected} */ detail) => map.dispatchEvent(new CustomEvent('inspect', { detail, bubbles: true }));
  /** The lane or connection there. @param {MouseEvent} e @param {Element} on @returns {Inspected|undefined} */
  const under = (e, on) => {
    const p = view.point(e), stream = /** @type {SVGElement|null} */ (on.closest('[data-stream]'))?.dataset.stream ?? '';
    const edge = edges.near(p.x, p.y, NEAR / view.at.k);
    if (stream && !on.closest('.edge')) return { kind: 'stream', id: stream };
    if (edge) return { kind: 'edge', id: edge.edge.id };
    return river.at(p) ? { kind: 'stream', id: river.at(p) } : undefined;
  };
  map.addEventListener('click', (e) => {
    const on = /** @type {Element} */ (e.target), row = /** @type {HTMLElement|null} */ (on.closest('.fact-name')?.closest('tr') ?? null);
    if (row) {
      tell({ kind: row.dataset.of === 'stream' ? 'stream' : 'node', id: row.dataset.row ?? '' });
      return;
    }
    if (view.dragged || pins.dragged || on.closest('button, input, a, label, [data-opens], .tools, .lens, .legend, .facts') || marked(map)) return;
    const node = /** @type {HTMLElement|null} */ (on.closest('[data-node]'));
    if (node) {
      tell({ kind: 'node', id: node.dataset.node ?? '' });
      return;
    }
    const found = on.closest('#room') ? under(e, on) : undefined;
    if (found) tell(found);
  });
  map.addEventListener('pointermove', (e) => {
    const on = /** @type {Element} */ (e.target);
    map.classList.toggle('points', !!on.closest('#room') && !on.closest('[data-node]') && under(e, on) !== undefined);
  });
}
