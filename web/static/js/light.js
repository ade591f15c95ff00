// @ts-check
// Streams of light on the canvas, for what is too much for dots. Each is what was counted: its rate is the server's.

import { pointAt } from './geometry.js';
import { beam, light } from './flow.js';

/** Units a ms, as fast as dots of events. */
const SPEED = 0.2;
/** In so many ms a stream comes or goes. */
const FADE = 350;

/**
 * @typedef {object} Beam
 * @property {import('./geometry.js').Track} track
 * @property {number} from distance on the track where it begins
 * @property {string} colour
 * @property {number} want 0 to 1, what it goes to
 * @property {number} shown 0 to 1
 * @property {number} shift 0 or 0.5: of a gap, to lie between another's flashes
 * @property {number} gap
 * @property {number} between
 * @property {number} width
 * @property {number} alpha
 * @property {number} used the round in which it was set
 */

export class Light {
  constructor() {
    /** @type {Map<string, Beam>} */
    this.beams = new Map();
    this.run = 0;
    this.round = 0;
    this.p = { x: 0, y: 0 };
    this.frozen = false;
  }

  /**
   * @param {string} key @param {import('./geometry.js').Track} track @param {number} from @param {string} colour
   * @param {number} rate a second @param {number} strength 0 to 1, of a chosen pattern's or another @param {number} [shift]
   */
  set(key, track, from, colour, rate, strength, shift = 0) {
    const want = light(rate) * strength;
    let b = this.beams.get(key);
    if (!b) {
      if (want === 0) return;
      b = { track, from, colour, want, shown: 0, shift, gap: 48, between: 0, width: 2, alpha: 1, used: 0 };
      this.beams.set(key, b);
    }
    b.track = track;
    b.from = from;
    b.colour = colour;
    b.want = want;
    b.used = this.round;
    if (want > 0) beam(rate, b);
  }

  /** After all were set: what was not goes. */
  sweep() {
    for (const b of this.beams.values()) if (b.used !== this.round) b.want = 0;
    this.round++;
  }

  /** @param {number} dt ms @returns {boolean} whether any is to be seen */
  step(dt) {
    if (this.frozen) return false;
    this.run += dt * SPEED;
    for (const [key, b] of this.beams) {
      const d = b.want - b.shown, most = dt / FADE;
      b.shown += Math.min(most, Math.max(-most, d));
      if (b.shown <= 0 && b.want === 0) this.beams.delete(key);
    }
    return this.beams.size > 0;
  }

  /** @param {CanvasRenderingContext2D} g @param {number} scale of the map */
  draw(g, scale) {
    for (const b of this.beams.values()) {
      if (b.shown <= 0) continue;
      g.strokeStyle = b.colour;
      g.lineWidth = Math.max(b.width, 1.5 / scale);
      this.flashes(g, b, b.shift * b.gap, b.shown * b.alpha);
      if (b.between > 0.05) this.flashes(g, b, (b.shift + 0.5) * b.gap, b.shown * b.alpha * b.between);
    }
    g.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} g @param {Beam} b @param {number} shift @param {number} alpha */
  flashes(g, b, shift, alpha) {
    const { p } = this, t = b.track, long = 6 + b.width;
    g.globalAlpha = alpha;
    g.beginPath();
    for (let d = b.from + ((this.run + shift) % b.gap); d < t.length; d += b.gap) {
      pointAt(t, d, p);
      g.moveTo(p.x, p.y);
      pointAt(t, d + long, p);
      g.lineTo(p.x, p.y);
    }
    g.stroke();
  }

  clear() {
    this.beams.clear();
  }
}
