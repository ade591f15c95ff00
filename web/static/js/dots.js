// @ts-check
// Moving dots: a bounded pool. Beyond the bound dots merge and say how many they stand for.

import { pointAt } from './geometry.js';

/** At most so many dots move at once. */
export const MOST = 300;
/** Of one flow in one frame at most so many dots; the rest merge into them. */
const BURST = 6;
/** Shapes: disc, diamond, triangle, square. */
export const SHAPES = 4;

/**
 * @typedef {object} Dot
 * @property {import('./geometry.js').Track} track
 * @property {number} d distance run
 * @property {number} speed units a ms
 * @property {number} wait ms until it starts
 * @property {string} colour
 * @property {number} count events that it stands for
 * @property {number} r radius
 * @property {number} fade distance before the end over which it fades
 * @property {number} alpha how opaque it is
 * @property {number} split distance from which on it is as opaque as after says
 * @property {number} after
 * @property {number} shape 0 to SHAPES - 1
 */
/** @typedef {{colour: string, speed: number, r: number, fade: number, wait: number, over: number, alpha: number, split?: number,
 *   after?: number, shape?: () => number}} Look over: ms in which they leave one after another */

/** @returns {Dot} */
const blank = () => ({ track: { xy: new Float32Array(4), n: 2, length: 0 }, d: 0, speed: 0, wait: 0, colour: '', count: 0, r: 0, fade: 0, alpha: 0, split: 0, after: 0, shape: 0 });

export class Dots {
  constructor() {
    /** @type {Dot[]} */
    this.dots = [];
    /** @type {Dot[]} that ended, for reuse */
    this.spare = [];
    this.ink = '#fff';
    this.p = { x: 0, y: 0 };
  }

  /** Sends count dots along a track. @param {import('./geometry.js').Track} track @param {number} count @param {Look} o */
  send(track, count, o) {
    const room = MOST - this.dots.length, alpha = o.alpha, after = o.after ?? alpha;
    if (alpha <= 0.03 && after <= 0.03) return; // a stream of light shows them
    if (room <= 0) { // none may leave: the newest of the same way carries them too
      const last = this.dots.findLast((x) => x.track === track) ?? this.dots[this.dots.length - 1];
      last.count += count;
      return;
    }
    const n = Math.min(count, BURST, room);
    for (let i = 0, left = count; i < n; i++) {
      const share = Math.ceil(left / (n - i)), x = this.spare.pop() ?? blank();
      left -= share;
      x.track = track;
      x.d = 0;
      x.speed = o.speed;
      x.wait = o.wait + (o.over * i) / n;
      x.colour = o.colour;
      x.count = share;
      x.r = o.r;
      x.fade = o.fade;
      x.alpha = alpha;
      x.split = o.split ?? track.length;
      x.after = after;
      x.shape = o.shape?.() ?? 0;
      this.dots.push(x);
    }
  }

  /** @param {number} dt ms @returns {boolean} whether any still moves */
  step(dt) {
    const { dots } = this;
    let kept = 0;
    for (let i = 0; i < dots.length; i++) {
      const x = dots[i];
      if (x.wait > 0) x.wait -= dt;
      else x.d += x.speed * dt;
      if (x.d < x.track.length) dots[kept++] = x;
      else this.spare.push(x);
    }
    dots.length = kept;
    return kept > 0;
  }

  /** @param {CanvasRenderingContext2D} g @param {number} scale of the map */
  draw(g, scale) {
    const { p } = this, least = 2 / scale;
    for (const x of this.dots) {
      if (x.wait > 0) continue;
      pointAt(x.track, x.d, p);
      const r = Math.max(least, x.count > 1 ? x.r + Math.min(4, Math.log2(x.count)) : x.r);
      const a = (x.d > x.split ? x.after : x.alpha) * (x.fade > 0 ? Math.min(1, (x.track.length - x.d) / x.fade) : 1);
      g.fillStyle = x.colour;
      g.globalAlpha = a * 0.25;
      g.beginPath();
      g.arc(p.x, p.y, r * 2, 0, 7);
      g.fill();
      g.globalAlpha = a;
      g.beginPath();
      outline(g, x.shape, p.x, p.y, r);
      g.fill();
      if (x.count > 1) {
        g.fillStyle = this.ink;
        g.fillText(`×${x.count}`, p.x + r + 3, p.y - 4);
      }
    }
    g.globalAlpha = 1;
  }

  clear() {
    this.spare.push(...this.dots);
    this.dots.length = 0;
  }
}

/** @param {CanvasRenderingContext2D} g @param {number} shape @param {number} x @param {number} y @param {number} r */
function outline(g, shape, x, y, r) {
  switch (shape) {
    case 1:
      g.moveTo(x, y - r * 1.4);
      g.lineTo(x + r * 1.4, y);
      g.lineTo(x, y + r * 1.4);
      g.lineTo(x - r * 1.4, y);
      return;
    case 2:
      g.moveTo(x, y - r * 1.35);
      g.lineTo(x + r * 1.25, y + r * 0.95);
      g.lineTo(x - r * 1.25, y + r * 0.95);
      return;
    case 3:
      g.rect(x - r, y - r, r * 2, r * 2);
      return;
    default:
      g.arc(x, y, r, 0, 7);
  }
}
