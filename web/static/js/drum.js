// @ts-check
// A store as a drum whose strata are the kinds of data in it: its owner's own solid, copies hatched,
// amber where events for it still wait.

import { attr, svg } from './dom.js';
import { COLOURS } from './world.js';

const W = 54, H = 64, TOP = 9;

/** Hatches, one a colour; the map's svg holds them once. */
export function hatches() {
  const defs = svg('defs');
  for (const i of [...Array(COLOURS).keys(), 'stale']) {
    defs.append(svg('pattern', { id: `hatch-${i}`, width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
      svg('rect', { width: 6, height: 6, class: `fill-${i}`, 'fill-opacity': 0.16 }),
      svg('line', { x1: 0, y1: 0, x2: 0, y2: 6, class: `line-${i}`, 'stroke-width': 2.6 })));
  }
  return defs;
}

/** @param {{colour: number, copy: boolean, stale: boolean, kind: string}[]} strata @returns {SVGSVGElement} */
export function drum(strata) {
  const root = svg('svg', { class: 'drum', viewBox: `-1 -1 ${W + 2} ${H + 2}`, width: W + 2, height: H + 2, 'aria-hidden': 'true' });
  const body = H - TOP * 2, each = body / Math.max(1, strata.length);
  const clip = `M0,${TOP} v${body} a${W / 2},${TOP - 1} 0 0 0 ${W},0 v${-body} z`;
  root.append(svg('path', { class: 'drum-body', d: clip }));
  strata.forEach((s, i) => {
    const y = TOP + each * i, last = i === strata.length - 1;
    const d = last ? `M0,${y} V${TOP + body} a${W / 2},${TOP - 1} 0 0 0 ${W},0 V${y} z` : `M0,${y} h${W} v${each} h${-W} z`;
    const p = svg('path', { d, class: s.copy ? `stratum copy${s.stale ? ' stale' : ''}` : `stratum fill-${s.colour}`, 'data-kind': s.kind });
    if (s.copy) attr(p, 'fill', s.stale ? 'url(#hatch-stale)' : `url(#hatch-${s.colour})`);
    root.append(p);
    if (i > 0) root.append(svg('line', { class: 'drum-line', x1: 0, x2: W, y1: y, y2: y }));
  });
  root.append(svg('path', { class: 'drum-edge', d: clip }), svg('ellipse', { class: 'drum-lid', cx: W / 2, cy: TOP, rx: W / 2, ry: TOP - 1 }));
  return root;
}
