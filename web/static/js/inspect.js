// @ts-check
// Tells others what of the map is to be looked into: an "inspect" event at #map for a card, drum, lane or connection that was
// clicked, or on which Enter was pressed. Buttons keep their clicks for themselves.

/** @typedef {{kind: 'node'|'stream'|'edge', id: string}} Inspected */

/** How far from a connection a click still means it, pixels. */
const NEAR = 8;

/**
 * @param {HTMLElement} map @param {import('./view.js').View} view @param {import('./pins.js').Pins} pins
 * @param {import('./edges.js').Edges} edges @param {import('./river.js').River} river
 */
export function inspects(map, view, pins, edges, river) {
  const tell = (/** @type {Inspected} */ detail) => map.dispatchEvent(new CustomEvent('inspect', { detail, bubbles: true }));
  map.addEventListener('click', (e) => {
    const on = /** @type {Element} */ (e.target), row = /** @type {HTMLElement|null} */ (on.closest('.fact-name')?.closest('tr') ?? null);
    if (row) {
      tell({ kind: row.dataset.of === 'stream' ? 'stream' : 'node', id: row.dataset.row ?? '' });
      return;
    }
    if (view.dragged || pins.dragged || on.closest('button, input, a, label, .tools, .lens, .legend, .facts') || getSelection()?.isCollapsed === false) return;
    const node = /** @type {HTMLElement|null} */ (on.closest('[data-node]'));
    if (node) {
      tell({ kind: 'node', id: node.dataset.node ?? '' });
      return;
    }
    if (!on.closest('#room')) return;
    const p = view.point(e), stream = /** @type {SVGElement|null} */ (on.closest('[data-stream]'))?.dataset.stream ?? '';
    const edge = edges.near(p.x, p.y, NEAR / view.at.k);
    if (stream && !on.closest('.edge')) tell({ kind: 'stream', id: stream });
    else if (edge) tell({ kind: 'edge', id: edge.edge.id });
    else if (river.at(p)) tell({ kind: 'stream', id: river.at(p) });
  });
  map.addEventListener('keydown', (e) => {
    const on = /** @type {HTMLElement} */ (e.target);
    if (e.key !== 'Enter' || !on.matches('[data-node]')) return;
    e.preventDefault();
    tell({ kind: 'node', id: on.dataset.node ?? '' });
  });
}
