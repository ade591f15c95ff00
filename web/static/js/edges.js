// @ts-check
// Connections as paths: events between cards and lanes, requests as arcs, reaches into another's store dotted with a warning
// sign; what fails is red, dashed and labelled; what the chosen pattern does not use is faint. Connections of a service with
// streams that share a row of the river are one.

import { attr, el, Keyed, put, svg, text } from './dom.js';
import { line, pointAt, svgPath, track, joined } from './geometry.js';
import { light, strength } from './flow.js';
import { call, crossing, reach } from './routes.js';
import { culprit, rate, short } from './words.js';
import { colourOf } from './world.js';

/** @typedef {import('./messages.js').Edge} Edge */
/** @typedef {import('./geometry.js').Track} Track */
/** @typedef {{path: string, dots: Track, cross: Track, join: number, spot: number}} Way path: as drawn; dots: as run, an emitted
 *   event goes on along its lane; cross: up to the lane; join: how far down the lane that is; spot: of its label, -1 for none yet */
/** @typedef {{id: string, edge: Edge, edges: Edge[], way: Way, rate: number, failed: number, faint: boolean}} Bundle edge: the
 *   first of it, which stands for its ends and colour; failed a second */

/** Spots along a way that a label tries in turn. */
const SPOTS = Array.from({ length: 45 }, (_, i) => 0.5 + (i % 2 ? 1 : -1) * Math.ceil(i / 2) * 0.02);
/** So many connections at most have their rate written at them. */
const PACED = 40;

/** @param {import('./layout.js').Layout} l @param {Edge} e @returns {Way|undefined} */
export function way(l, e) {
  if (asks(e)) {
    const c = (e.kind === 'call' ? call : reach)(l, e.from, e.to), t = c && track(c);
    return t && { path: svgPath(c), dots: t, cross: t, join: 0, spot: -1 };
  }
  const [service, stream] = e.kind === 'emit' ? [e.from, e.to] : [e.to, e.from];
  const x = crossing(l, service, stream, /** @type {'emit'|'take'} */ (e.kind));
  if (!x) return undefined;
  const cross = track(x.chain), lane = /** @type {import('./layout.js').LanePlace} */ (l.lanes.get(stream));
  const join = x.join - (l.tall ? lane.y1 : lane.x1);
  if (e.kind === 'take') return { path: svgPath(x.chain), dots: cross, cross, join, spot: -1 };
  const along = l.tall ? line(lane.x1, x.join, lane.x1, lane.y2) : line(x.join, lane.y1, lane.x2, lane.y1);
  return { path: svgPath(x.chain), dots: track(joined(x.chain, along)), cross, join, spot: -1 };
}

/** The warning sign at a reach's end; the map's svg holds it once. */
export const sign = () => svg('defs', {}, svg('marker', { id: 'sign', markerUnits: 'userSpaceOnUse', markerWidth: 16, markerHeight: 16, viewBox: '-8 -8 16 16' },
  svg('path', { class: 'sign', d: 'M0,-6.2 L7,5.6 H-7 Z' }), svg('path', { class: 'sign-mark', d: 'M0,-2.6 V1.4 M0,3.2 V3.9' })));

/** Whether it is one whose failures are told. @param {Edge} e */
export const asks = (e) => e.kind === 'call' || e.kind === 'reach';

export class Edges {
  /** @param {SVGElement} lines @param {Element} labels */
  constructor(lines, labels) {
    this.group = svg('g', { class: 'edges' });
    lines.append(this.group);
    this.paths = new Keyed(this.group, () => svg('path', { class: 'edge' }));
    this.labels = new Keyed(labels, () => el('span', 'fail', el('span', 'hidden'), el('span')));
    this.paces = new Keyed(labels, () => el('span', 'pace'));
    this.still = matchMedia('(prefers-reduced-motion: reduce)');
    /** @type {Map<string, Bundle>} by id */
    this.bundles = new Map();
    /** @type {Map<string, Way>} by id of the bundle */
    this.ways = new Map();
    /** @type {number[]} where on a row of the river its first event comes in, by row */
    this.springs = [];
    /** @type {import('./layout.js').Layout|undefined} */
    this.layout = undefined;
  }

  /** @param {import('./layout.js').Layout} l @param {Edge} e */
  bundleOf(l, e) {
    return this.bundles.get(bundleId(l, e));
  }

  /** @param {import('./layout.js').Layout} l @param {number} row */
  spring(l, row) {
    return l === this.layout ? this.springs[row] ?? 0 : 0;
  }

  /** @param {import('./world.js').World} w @param {import('./layout.js').Layout} l @param {import('./lens.js').Lens} lens */
  bundle(w, l, lens) {
    if (l !== this.layout) this.ways.clear();
    this.layout = l;
    this.bundles.clear();
    this.springs.length = 0;
    for (const e of w.edges.values()) {
      const id = bundleId(l, e), b = this.bundles.get(id), faint = lens.hidesEdge(e);
      if (b) {
        b.edges.push(e);
        b.rate += e.rate;
        b.failed += e.failed_rate;
        b.faint &&= faint;
        continue;
      }
      const v = this.ways.get(id) ?? way(l, e);
      if (!v) continue;
      this.ways.set(id, v);
      this.bundles.set(id, { id, edge: e, edges: [e], way: v, rate: e.rate, failed: e.failed_rate, faint });
      const row = e.kind === 'emit' ? l.lanes.get(e.to)?.index ?? -1 : -1;
      if (row >= 0) this.springs[row] = Math.min(this.springs[row] ?? Infinity, v.join);
    }
  }

  /**
   * @param {import('./world.js').World} w @param {import('./layout.js').Layout} l @param {import('./lens.js').Lens} lens
   * @param {import('./layout.js').Box[]} others where labels of others stand
   */
  render(w, l, lens, others) {
    this.bundle(w, l, lens);
    /** @type {import('./layout.js').Box[]} */
    const taken = [...others, ...l.places.values(), l.river, { x: 0, y: l.caption.y - 104, w: 188, h: 104 }];
    for (const b of this.bundles.values()) {
      const e = b.edge, p = this.paths.get(b.id), failing = asks(e) && b.failed > 0;
      attr(p, 'd', b.way.path);
      attr(p, 'data-edge', e.id);
      attr(p, 'class', ['edge', `edge-${e.kind}`, asks(e) ? '' : `line-${colourOf(w, e.kind === 'emit' ? e.to : e.from)}`, failing ? 'failing' : '',
        b.rate > 0 ? `busy flow-${strength(b.rate)}` : 'quiet', b.edges.every((x) => dead(w, x)) ? 'cut' : '', b.faint ? 'faint' : lens.chooses ? 'chosen' : '']
        .filter(Boolean).join(' '));
      if (failing && !b.faint) this.label(w, b, l, taken);
    }
    this.paths.sweep();
    this.labels.sweep();
    const paced = [...this.bundles.values()].filter((b) => !b.faint && !(asks(b.edge) && b.failed > 0) && (this.still.matches ? b.rate >= 0.5 : light(b.rate) >= 0.5));
    for (const b of paced.sort((x, y) => y.rate - x.rate).slice(0, PACED)) this.pace(b, l, taken);
    this.paces.sweep();
  }

  /** @param {import('./world.js').World} w @param {Bundle} b @param {import('./layout.js').Layout} l @param {import('./layout.js').Box[]} taken */
  label(w, b, l, taken) {
    const e = b.edge, s = this.labels.get(b.id);
    const [who, words] = s.children;
    text(who, e.kind === 'reach' ? `${e.from} cannot reach into ${e.to}: ` : `requests of ${e.from} to ${e.to} fail: `);
    const other = culprit(e.reason, w.nodes.keys()); // whom the one that was asked had asked in vain
    text(words, `✕ ${other && other !== e.to ? `${other} ` : ''}${short(e.reason)} · ${rate(b.failed)}`);
    const box = room(b.way, l, taken, words.textContent.length * 6.4 + 18, 22);
    s.classList.toggle('hidden', !box); // no room: the dashed line and the card say it too
    if (box) put(s, { x: box.x, y: box.y });
  }

  /** Its rate beside it, where there is room. @param {Bundle} b @param {import('./layout.js').Layout} l @param {import('./layout.js').Box[]} taken */
  pace(b, l, taken) {
    const words = rate(b.rate), box = room(b.way, l, taken, words.length * 6.2 + 12, 18);
    if (!box) return;
    const s = this.paces.get(b.id);
    text(s, words);
    put(s, { x: box.x, y: box.y, w: box.w });
  }

  /** The connection nearest to a point of the map. @param {number} x @param {number} y @param {number} within @returns {Bundle|undefined} */
  near(x, y, within) {
    let best = within * within, found;
    for (const b of this.bundles.values()) {
      const { xy, n } = b.way.cross;
      for (let i = 0; i < n; i++) {
        const d = (xy[i * 2] - x) ** 2 + (xy[i * 2 + 1] - y) ** 2;
        if (d < best) [best, found] = [d, b];
      }
    }
    return found;
  }
}

/** @param {import('./layout.js').Layout} l @param {Edge} e */
function bundleId(l, e) {
  if (asks(e)) return e.id;
  const lane = l.lanes.get(e.kind === 'emit' ? e.to : e.from), band = lane && l.bands[lane.index];
  return band?.group ? `${e.kind}:${band.id}:${e.kind === 'emit' ? e.from : e.to}` : e.id;
}

/** A free box on a way, the same as before if that is still free; it is then taken. @param {Way} v
 *  @param {import('./layout.js').Layout} l @param {import('./layout.js').Box[]} taken @param {number} w @param {number} h */
function room(v, l, taken, w, h) {
  const at = { x: 0, y: 0 };
  const tried = (/** @type {number} */ i) => {
    pointAt(v.cross, v.cross.length * SPOTS[i], at);
    const box = { x: Math.min(l.width - w - 4, Math.max(4, at.x - w / 2)), y: Math.max(2, at.y - h / 2), w, h };
    return taken.some((t) => overlap(t, box)) ? undefined : box;
  };
  let box = v.spot >= 0 ? tried(v.spot) : undefined;
  for (let i = 0; i < SPOTS.length && !box; i++) {
    box = tried(i);
    if (box) v.spot = i;
  }
  if (box) taken.push(box);
  return box;
}

/** @param {{x: number, y: number, w: number, h: number}} a @param {{x: number, y: number, w: number, h: number}} b */
export const overlap = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** Whether one of an event edge's ends is not up. @param {import('./world.js').World} w @param {Edge} e */
function dead(w, e) {
  if (asks(e)) return false;
  const n = w.nodes.get(e.kind === 'emit' ? e.from : e.to);
  return !w.bus.up || (n !== undefined && n.state !== 'up');
}
