// @ts-check
// Turns what the counts grew by into moving dots; without motion the rates alone tell it.

import { line, track } from './geometry.js';
import { loop } from './frames.js';
import { colourOf, COLOURS, PLAIN } from './world.js';

/** Units a ms. */
const EVENT = 0.26, CALL = 0.5;
/** An event is on its lane by then, so its readers' dots start after it, ms. */
const LEAD = 450;

/** Of a dot that the chosen pattern has no part in. */
const FAINT = 0.16;

export class Traffic {
  /**
   * @param {import('./dots.js').Dots} dots @param {import('./edges.js').Edges} edges @param {import('./nodes.js').Cards} cards
   */
  constructor(dots, edges, cards) {
    this.dots = dots;
    this.edges = edges;
    this.cards = cards;
    this.loop = loop((dt) => dots.step(dt));
    this.still = matchMedia('(prefers-reduced-motion: reduce)');
    this.still.addEventListener('change', () => dots.clear());
    /** @type {Map<string, string>} */
    this.colours = new Map();
    this.white = '#fff';
    this.red = '#f00';
    this.amber = '#fa0';
    /** @type {Map<string, import('./geometry.js').Track>} */
    this.lanes = new Map();
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

  /**
   * @param {import('./world.js').World} w @param {import('./layout.js').Layout} l @param {import('./lens.js').Lens} lens
   * @param {import('./world.js').Flow[]} flows
   */
  show(w, l, lens, flows) {
    if (document.hidden || this.still.matches) return;
    for (const f of flows) {
      if (f.kind === 'wait') continue;
      this.flow(w, l, lens, f);
    }
    this.loop.wake();
  }

  /**
   * @param {import('./world.js').World} w @param {import('./layout.js').Layout} l @param {import('./lens.js').Lens} lens
   * @param {import('./world.js').Flow} f
   */
  flow(w, l, lens, f) {
    const e = w.edges.get(f.id);
    const kind = w.streams.get(f.stream)?.kind ?? '';
    if (e?.kind === 'take') this.cards.pulse(e.to, kind);
    if (e?.kind === 'emit') this.cards.pulse(e.from, kind);
    const t = e ? this.edges.wayOf(l, e)?.dots : this.lane(l, f.stream);
    if (!t) return;
    const alpha = (e ? lens.hidesEdge(e) : lens.hidesLane(f.stream)) ? FAINT : 1;
    if (f.kind === 'call' || f.kind === 'reach') {
      const o = { speed: CALL, r: 2, fade: 0, wait: 0, over: 200, alpha };
      if (f.count > f.failed) this.dots.send(t, f.count - f.failed, { ...o, colour: f.kind === 'reach' ? this.amber : this.white });
      if (f.failed > 0) this.dots.send(t, f.failed, { ...o, colour: this.red });
      return;
    }
    this.dots.send(t, f.count, {
      colour: this.colours.get(colourOf(w, f.stream)) ?? this.white, speed: EVENT, r: 3.4, alpha, fade: f.kind === 'take' ? 0 : 90,
      wait: f.kind === 'take' && !f.backlog ? LEAD : 0, over: 300,
    });
  }

  /** The whole of a lane, for events whose emitter is unknown. @param {import('./layout.js').Layout} l @param {string} stream */
  lane(l, stream) {
    const p = l.lanes.get(stream);
    if (!p) return undefined;
    const key = `${stream}|${p.x1},${p.y1},${p.x2},${p.y2}`;
    let t = this.lanes.get(key);
    if (!t) {
      t = track(line(p.x1, p.y1, p.x2, p.y2));
      this.lanes.set(key, t);
    }
    return t;
  }
}
