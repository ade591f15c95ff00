// @ts-check
// What the address keeps behind its #: the chosen pattern and what is open, so that a reload and a link keep them.

/** @type {Set<() => void>} */
const told = new Set();
let kept = new URLSearchParams(location.hash.includes('=') ? location.hash.slice(1) : '');

/** @param {string} k @returns {string} '' for none */
export const kept1 = (k) => kept.get(k) ?? '';

/** What may be open beside the map. @typedef {'node'|'stream'|'edge'|'event'|'dead'} Kind @type {Kind[]} */
export const KINDS = ['node', 'stream', 'edge', 'event', 'dead'];

/** What is open, as kind and id. @returns {[Kind, string]|undefined} */
export const opened = () => /** @type {[Kind, string]|undefined} */ ([...kept].find(([k]) => /** @type {string[]} */ (KINDS).includes(k)));

/** What the panel of data shows, as a way: "copies/products/p-01". @returns {string|undefined} undefined: it is shut */
export const dataWay = () => kept.get('data') ?? undefined;

/** @param {() => void} f told when the reader went to another address, not of own changes */
export const onMove = (f) => told.add(f);

/**
 * @param {Record<string, string>} changes '' drops one
 * @param {boolean} [step] a step of its own, which the browser's back undoes
 */
export function keep(changes, step = false) {
  for (const [k, v] of Object.entries(changes)) v ? kept.set(k, v) : kept.delete(k);
  const hash = [...kept].map(([k, v]) => `${k}=${encodeURIComponent(v).replaceAll('%2F', '/')}`).join('&');
  history[step ? 'pushState' : 'replaceState'](null, '', hash ? `#${hash}` : location.pathname + location.search);
}

addEventListener('hashchange', () => {
  if (location.hash && !location.hash.includes('=')) return; // a jump within the page
  kept = new URLSearchParams(location.hash.slice(1));
  for (const f of told) f();
});
