// @ts-check
// What the map's colours and lines mean.

import { el, svg } from './dom.js';
import { cut } from './words.js';
import { COLOURS, colourOf, PLAIN } from './world.js';

/** @param {Element} parent @param {import('./world.js').World} w */
export function legend(parent, w) {
  const { system } = w;
  const box = (/** @type {string} */ cls, /** @type {string} */ fill) => {
    const r = svg('rect', { width: 14, height: 14, rx: 3, class: cls });
    if (fill) r.setAttribute('fill', fill);
    return svg('svg', { width: 14, height: 14, 'aria-hidden': 'true' }, r);
  };
  const line = (/** @type {string} */ cls, end = 25) => svg('svg', { width: 26, height: 14, 'aria-hidden': 'true' },
    svg('path', { d: `M1,7 H${end}`, class: cls }));
  const items = system.kinds.map((k, i) => el('li', '', box(`fill-${i % COLOURS}`, ''), k.name));
  const plain = [...w.streams.keys()].filter((s) => colourOf(w, s) === PLAIN);
  if (plain.length > 0) items.push(el('li', '', box(`fill-${PLAIN}`, ''), cut(plain.join(', '), 30)));
  if (system.kinds.length > 0) items.push(el('li', '', box('', 'url(#hatch-0)'), 'copy'), el('li', '', box('', 'url(#hatch-stale)'), 'copy that is behind'));
  items.push(el('li', '', line('edge edge-call busy'), 'request'), el('li', '', line('edge edge-call failing'), 'failing request'));
  if ([...w.edges.values()].some((e) => e.kind === 'reach')) {
    items.push(el('li', '', line('edge edge-reach chosen', 17), 'reaches into another’s database'));
  }
  items.push(el('li', '', el('span', 'legend-dots', '●◆▲■'), 'events, a shape a type'), el('li', '', svg('svg', { width: 26, height: 14, 'aria-hidden': 'true' },
    svg('path', { d: 'M1,7 H25', class: 'legend-light' })), 'too many for dots'));
  parent.replaceChildren(...items);
}
