// @ts-check
// Connections as paths: events between cards and lanes, requests as arcs, reaches into another's store dotted with a warning
// sign; what fails is red, dashed and labelled; what the chosen pattern does not use is faint.

import { attr, el, Keyed, put, svg, text } from './dom.js';
import { line, pointAt, svgPath, track, joined } from './geometry.js';
import { call, crossing, reach } from './routes.js';
import { rate, short } from './words.js';
import { colourOf } from './world.js';

/** @typedef {import('./messages.js').Edge} Edge */
/** @typedef {import('./geometry.js').Track} Track */
/** @typedef {{path: string, dots: Track}} Way path: as drawn; dots: as run, an emitted event goes on along its lane */

/** Spots along a way that a label tries in turn. */
const SPOTS = Array.from({ length: 45 }, (_, i) => 0.5 + (i % 2 ? 1 : -1) * Math.ceil(i / 2) * 0.02);

/** @param {import('./layout.js').Layout} l @param {Edge} e @returns {Way|undefined} */
export function way(l, e) {
  if (e.kind === 'call' || e.kind === 'reach') {
    const c = (e.kind === 'call' ? call : reach)(l, e.from, e.to);
    return c && { path: svgPath(c), dots: track(c) };
  }
  const [service, stream] = e.kind === 'emit' ? [e.from, e.to] : [e.to, e.from];
  const x = crossing(l, service, stream, e.kind);
  if (!x) return undefined;
  if (e.kind === 'take') return { path: svgPath(x.chain), dots: track(x.chain) };
  const lane = /** @type {import('./layout.js').LanePlace} */ (l.lanes.get(stream));
  const along = l.tall ? line(lane.x1, x.join, lane.x1, lane.y2) : line(x.join, lane.y1, lane.x2, lane.y1);
  return { path: svgPath(x.chain), dots: track(joined(x.chain, along)) };
}

/** The warning sign at a reach's end; the map's svg holds it once. */
export const sign = () => svg('defs', {}, svg('marker', { id: 'sign', markerUnits: 'userSpaceOnUse', markerWidth: 16, markerHeight: 16, viewBox: '-8 -8 16 16' },
  svg('path', { class: 'sign', d: 'M0,-6.2 L7,5.6 H-7 Z' }), svg('path', { class: 'sign-mark', d: 'M0,-2.6 V1.4 M0,3.2 V3.9' })));

/** Whether it is one whose failures are told. @param {Edge} e */
export const asks = (e) => e.kind === 'call' || e.kind === 'reach';

export class Edges {
  /** @param {SVGElement} lines @param {Element} labels */
  constructor(lines, labels) {
    const group = svg('g', { class: 'edges' });
    lines.append(group);
    this.paths = new Keyed(group, () => svg('path', { class: 'edge' }));
    this.labels = new Keyed(labels, () => el('span', 'fail', el('span', 'hidden'), el('span')));
    /** @type {Map<string, Way>} */
    this.ways = new Map();
    /** @type {import('./layout.js').Layout|undefined} */
    this.layout = undefined;
  }

  /** @param {import('./layout.js').Layout} l @param {Edge} e */
  wayOf(l, e) {
    if (l !== this.layout) {
      this.ways.clear();
      this.layout = l;
    }
    let v = this.ways.get(e.id);
    if (!v) {
      v = way(l, e);
      if (v) this.ways.set(e.id, v);
    }
    return v;
  }

  /**
   * @param {import('./world.js').World} w @param {import('./layout.js').Layout} l @param {import('./lens.js').Lens} lens
   * @param {import('./layout.js').Box[]} others where labels of others stand
   */
  render(w, l, lens, others) {
    /** @type {import('./layout.js').Box[]} */
    const taken = [...others, ...l.places.values(), l.river, { x: 0, y: l.caption.y - 104, w: 188, h: 104 }];
    for (const e of w.edges.values()) {
      const v = this.wayOf(l, e);
      if (!v) continue;
      const p = this.paths.get(e.id), failing = asks(e) && e.failed_rate > 0, faint = lens.hidesEdge(e);
      attr(p, 'd', v.path);
      attr(p, 'class', ['edge', `edge-${e.kind}`, asks(e) ? '' : `line-${colourOf(w, e.kind === 'emit' ? e.to : e.from)}`, failing ? 'failing' : '',
        e.rate > 0 ? 'busy' : 'quiet', dead(w, e) ? 'cut' : '', faint ? 'faint' : lens.picks ? 'chosen' : ''].filter(Boolean).join(' '));
      if (failing && !faint) this.label(e, v, l, taken);
    }
    this.paths.sweep();
    this.labels.sweep();
  }

  /** @param {Edge} e @param {Way} v @param {import('./layout.js').Layout} l @param {import('./layout.js').Box[]} taken */
  label(e, v, l, taken) {
    const s = this.labels.get(e.id);
    const [who, words] = s.children;
    text(who, e.kind === 'reach' ? `${e.from} cannot reach into ${e.to}: ` : `requests of ${e.from} to ${e.to} fail: `);
    text(words, `✕ ${short(e.reason)} · ${rate(e.failed_rate)}`);
    const w = words.textContent.length * 6.4 + 18, h = 22, at = { x: 0, y: 0 };
    const boxes = SPOTS.map((f) => {
      pointAt(v.dots, v.dots.length * f, at);
      return { x: Math.min(l.width - w - 4, Math.max(4, at.x - w / 2)), y: Math.max(2, at.y - h / 2), w, h };
    });
    const box = boxes.find((b) => !taken.some((t) => overlap(t, b)));
    s.classList.toggle('hidden', !box); // no room: the dashed line and the card say it too
    if (!box) return;
    taken.push(box);
    put(s, { x: box.x, y: box.y });
  }
}

/** @param {{x: number, y: number, w: number, h: number}} a @param {{x: number, y: number, w: number, h: number}} b */
export const overlap = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** Whether one of an event edge's ends is not up. @param {import('./world.js').World} w @param {Edge} e */
function dead(w, e) {
  if (asks(e)) return false;
  const n = w.nodes.get(e.kind === 'emit' ? e.from : e.to);
  return !w.bus.up || (n !== undefined && n.state !== 'up');
}
