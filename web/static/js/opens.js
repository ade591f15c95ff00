// @ts-check
// Words, piles and marks that open something in the side panel: whatever has data-opens="kind=id".

/** @typedef {import('./address.js').Kind} Kind */

/** @param {(kind: Kind|'data', id: string) => void} open data: a way of the panel of data */
export function links(open) {
  document.addEventListener('click', (e) => {
    const named = /** @type {HTMLElement|SVGElement|null} */ (/** @type {Element} */ (e.target).closest('[data-opens]'));
    if (!named || e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    const s = named.dataset.opens ?? '', i = s.indexOf('=');
    open(/** @type {Kind|'data'} */ (s.slice(0, i)), s.slice(i + 1));
  });
}
