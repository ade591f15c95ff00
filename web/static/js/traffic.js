// @ts-check
// Turns what the counts grew by into moving dots, and rates too high for dots into streams of light; without motion the
// rates alone tell it.

import { line, track } from './geometry.js';
import { light } from './flow.js';
import { loop } from './frames.js';
import { colourOf, COLOURS, PLAIN } from './world.js';

/** @typedef {import('./world.js').World} World */
/** @typedef {import('./layout.js').Layout} Layout */
/** @typedef {import('./lens.js').Lens} Lens */

/** Units a ms. */
const EVENT = 0.26, CALL = 0.5;
/** An event is on its lane by then, so its readers' dots start after it, ms. */
const LEAD = 450;
/** Of what the chosen pattern has no part in. */
const FAINT = 0.16;

export class Traffic {
  /**
   * @param {import('./scene.js').Scene} scene @param {import('./edges.js').Edges} edges @param {import('./nodes.js').Cards} cards
   * @param {import('./types.js').Types} types
   */
  constructor(scene, edges, cards, types) {
    this.scene = scene;
    this.dots = scene.dots;
    this.light = scene.light;
    this.edges = edges;
    this.cards = cards;
    this.types = types;
    this.loop = loop((dt) => scene.step(dt));
    this.still = matchMedia('(prefers-reduced-motion: reduce)');
    this.still.addEventListener('change', () => scene.clear());
    /** @type {Map<string, string>} */
    this.colours = new Map();
    this.white = '#fff';
    this.red = '#f00';
    this.amber = '#fa0';
    /** @type {WeakMap<import('./layout.js').LanePlace, import('./geometry.js').Track>} */
    this.lanes = new WeakMap();
  }

  /** Reads the theme's colours for the canvas. */
  theme() {
    const s = getComputedStyle(document.documentElement);
    const v = (/** @type {string} */ k) => s.getPropertyValue(k).trim();
    this.colours = new Map([...Array.from({ length: COLOURS }, (_, i) => String(i)), PLAIN].map((c) => [c, v(`--kind-${c}`)]));
    this.white = v('--dot');
    this.red = v('--bad');
    this.amber = v('--warn');
    this.dots.ink = v('--ink');
  }

  /** The picture stands still, or goes on. @param {boolean} frozen */
  freeze(frozen) {
    this.light.frozen = frozen;
    if (!frozen) this.loop.wake();
  }

  /** Streams of light as the rates are now. @param {World} w @param {Layout} l @param {Lens} lens */
  flow(w, l, lens) {
    if (this.still.matches) return;
    for (const b of this.edges.bundles.values()) {
      const v = b.way, e = b.edge, asks = e.kind === 'call' || e.kind === 'reach', strength = b.faint ? FAINT : asks && l.compact && !lens.chooses ? 0.5 : 1;
      if (e.kind === 'emit') {
        this.light.set(b.id, v.cross, 0, this.colour(w, e.to), b.rate, strength);
      } else if (e.kind === 'take') {
        this.light.set(b.id, v.dots, 0, this.colour(w, e.from), b.rate, strength);
      } else {
        this.light.set(b.id, v.dots, 0, e.kind === 'reach' ? this.amber : this.white, b.rate - b.failed, strength);
        this.light.set(`${b.id}!`, v.dots, 0, this.red, b.failed, strength, 0.5);
      }
    }
    l.bands.forEach((band, i) => {
      if (band.group && band.open) return; // its streams have rows
      const faint = band.streams.every((s) => lens.hidesLane(s));
      this.light.set(band.id, this.lane(l.beds[i]), this.edges.spring(l, i), this.colour(w, band.streams[0]), rateOf(w, l, i), faint ? FAINT : 1);
    });
    this.light.sweep();
    if (!document.hidden && this.light.beams.size > 0) this.loop.wake();
  }

  /** @param {World} w @param {Layout} l @param {Lens} lens @param {import('./world.js').Flow[]} flows */
  show(w, l, lens, flows) {
    if (document.hidden || this.still.matches) return;
    for (const f of flows) {
      if (f.kind === 'wait') continue;
      this.send(w, l, lens, f);
    }
    this.loop.wake();
  }

  /** @param {World} w @param {Layout} l @param {Lens} lens @param {import('./world.js').Flow} f */
  send(w, l, lens, f) {
    const e = w.edges.get(f.id), b = e && this.edges.bundleOf(l, e);
    const kind = w.streams.get(f.stream)?.kind ?? '', many = light(b?.rate ?? 0) === 1;
    if (e?.kind === 'take') this.cards.pulse(e.to, kind, many);
    if (e?.kind === 'emit') this.cards.pulse(e.from, kind, many);
    const lane = l.lanes.get(f.stream), onLane = lane ? 1 - light(rateOf(w, l, lane.index)) : 0;
    const t = e ? b?.way.dots : lane && this.lane(lane);
    if (!t) return;
    const alpha = (e ? lens.hidesEdge(e) : lens.hidesLane(f.stream)) ? FAINT : 1;
    if (f.kind === 'call' || f.kind === 'reach') {
      const o = { speed: CALL, r: 2, fade: 0, wait: 0, over: 200 }, failed = b?.failed ?? 0, well = (b?.rate ?? 0) - failed;
      if (f.count > f.failed) {
        this.dots.send(t, f.count - f.failed, { ...o, alpha: alpha * (1 - light(well)), colour: f.kind === 'reach' ? this.amber : this.white });
      }
      if (f.failed > 0) this.dots.send(t, f.failed, { ...o, alpha: alpha * (1 - light(failed)), colour: this.red });
      return;
    }
    const own = f.kind === 'lane' ? onLane : 1 - light(b?.rate ?? 0);
    this.dots.send(t, f.count, {
      colour: this.colour(w, f.stream), speed: EVENT, r: 3.4, alpha: alpha * own, fade: f.kind === 'take' ? 0 : 90,
      wait: f.kind === 'take' && !f.backlog ? LEAD : 0, over: 300,
      split: f.kind === 'emit' ? b?.way.cross.length : undefined, after: f.kind === 'emit' ? alpha * onLane : undefined,
      shape: () => this.types.next(f.id, f.stream, e?.kind === 'emit' ? e.from : ''),
    });
  }

  /** @param {World} w @param {string} stream */
  colour(w, stream) {
    return this.colours.get(colourOf(w, stream)) ?? this.white;
  }

  /** The whole of a lane. @param {import('./layout.js').LanePlace} p */
  lane(p) {
    let t = this.lanes.get(p);
    if (!t) {
      t = track(line(p.x1, p.y1, p.x2, p.y2));
      this.lanes.set(p, t);
    }
    return t;
  }
}

/** Of all streams of a row of the river. @param {World} w @param {Layout} l @param {number} row */
function rateOf(w, l, row) {
  let sum = 0;
  for (const s of l.bands[row].streams) if (l.lanes.get(s)?.index === row) sum += w.streams.get(s)?.rate ?? 0;
  return sum;
}
