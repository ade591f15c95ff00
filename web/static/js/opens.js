// @ts-check
// What a click on the map means: a card, a store, the bus, a pile, dead letters; else the lane or connection nearest to it.

/** @typedef {import('./address.js').Kind} Kind */

/** How far off a line may be clicked, units of the layout. */
const NEAR = 8;

/**
 * The lane or connection at a place; lanes go before what crosses them.
 * @param {import('./world.js').World} w @param {import('./layout.js').Layout} l @param {(e: import('./messages.js').Edge) => import('./edges.js').Way|undefined} wayOf
 * @param {(e: import('./messages.js').Edge) => boolean} skip those that are drawn faintly
 * @param {number} x @param {number} y @returns {[Kind, string]|undefined}
 */
export function hit(w, l, wayOf, skip, x, y) {
  for (const [name, p] of l.lanes) {
    const along = l.tall ? y >= p.y1 - 80 && y <= p.y2 && Math.abs(x - p.x1) : x >= l.river.x && x <= l.river.x + l.river.w && Math.abs(y - p.y1);
    if (along !== false && along <= NEAR) return ['stream', name];
  }
  let best = NEAR, found = '';
  for (const e of w.edges.values()) {
    const t = skip(e) ? undefined : wayOf(e)?.dots;
    if (!t) continue;
    for (let i = 0; i < t.n; i++) {
      const d = Math.hypot(t.xy[i * 2] - x, t.xy[i * 2 + 1] - y);
      if (d < best) [best, found] = [d, e.id];
    }
  }
  return found ? ['edge', found] : undefined;
}

/**
 * @param {HTMLElement} stage of the map @param {(kind: Kind, id: string) => void} open
 * @param {(x: number, y: number) => [Kind, string]|undefined} at units of the layout
 */
export function listen(stage, open, at) {
  let x = 0, y = 0;
  document.addEventListener('pointerdown', (e) => { [x, y] = [e.clientX, e.clientY]; });
  document.addEventListener('click', (e) => {
    const t = /** @type {Element} */ (e.target), named = /** @type {HTMLElement|SVGElement|null} */ (t.closest('[data-opens]'));
    if (e.ctrlKey || e.metaKey || e.shiftKey) return;
    if (named) {
      e.preventDefault();
      const s = named.dataset.opens ?? '', i = s.indexOf('=');
      return open(/** @type {Kind} */ (s.slice(0, i)), s.slice(i + 1));
    }
    const moved = e.detail > 0 && Math.hypot(e.clientX - x, e.clientY - y) > 5; // the map was dragged, or text marked
    if (moved || !stage.contains(t) || t.closest('button, input, a')) return;
    const node = /** @type {HTMLElement|null} */ (t.closest('[data-node]'));
    if (node) return open('node', node.dataset.node ?? '');
    const r = stage.getBoundingClientRect(), scale = r.width / stage.offsetWidth, found = at((e.clientX - r.left) / scale, (e.clientY - r.top) / scale);
    if (found) open(...found);
  });
  stage.addEventListener('pointermove', (e) => {
    const r = stage.getBoundingClientRect(), scale = r.width / stage.offsetWidth, free = !/** @type {Element} */ (e.target).closest('[data-node]');
    stage.classList.toggle('points', free && at((e.clientX - r.left) / scale, (e.clientY - r.top) / scale) !== undefined);
  });
}
