// @ts-check
// Moving dots on a canvas: a bounded pool. Beyond the bound dots merge and say how many they stand for.

import { pointAt } from './geometry.js';

/** At most so many dots move at once. */
export const MOST = 700;
/** Of one flow in one frame at most so many dots; the rest merge into them. */
const BURST = 6;

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
 */

export class Dots {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    const g = canvas.getContext('2d');
    if (!g) throw new Error('no canvas');
    this.g = g;
    /** @type {Dot[]} */
    this.dots = [];
    this.width = 0;
    this.height = 0;
    this.ink = '#fff';
    this.p = { x: 0, y: 0 };
  }

  /** @param {number} width @param {number} height in units of the layout @param {number} scale pixels a unit */
  resize(width, height, scale) {
    this.width = width;
    this.height = height;
    this.scale = scale;
    this.canvas.width = Math.ceil(width * scale);
    this.canvas.height = Math.ceil(height * scale);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.dots.length = 0;
  }

  /**
   * Sends count dots along a track.
   * @param {import('./geometry.js').Track} track @param {number} count
   * @param {{colour: string, speed: number, r: number, fade: number, wait: number, over: number, alpha: number}} o over: ms in which they
   *   leave one after another
   */
  send(track, count, o) {
    const room = MOST - this.dots.length;
    if (room <= 0) { // none may leave: the newest of the same way carries them too
      const last = this.dots.findLast((x) => x.track === track) ?? this.dots[this.dots.length - 1];
      last.count += count;
      return;
    }
    const n = Math.min(count, BURST, room);
    for (let i = 0, left = count; i < n; i++) {
      const share = Math.ceil(left / (n - i));
      left -= share;
      this.dots.push({ track, d: 0, speed: o.speed, wait: o.wait + (o.over * i) / n, colour: o.colour, count: share, r: o.r, fade: o.fade, alpha: o.alpha });
    }
  }

  /** @param {number} dt ms @returns {boolean} whether any still moves */
  step(dt) {
    let kept = 0;
    for (const x of this.dots) {
      if (x.wait > 0) x.wait -= dt;
      else x.d += x.speed * dt;
      if (x.d < x.track.length) this.dots[kept++] = x;
    }
    this.dots.length = kept;
    this.draw();
    return kept > 0;
  }

  draw() {
    const { g, p } = this, s = this.scale ?? 1;
    g.setTransform(s, 0, 0, s, 0, 0);
    g.clearRect(0, 0, this.width, this.height);
    g.font = '600 10.5px system-ui, sans-serif';
    for (const x of this.dots) {
      if (x.wait > 0) continue;
      pointAt(x.track, x.d, p);
      const r = x.count > 1 ? x.r + Math.min(4, Math.log2(x.count)) : x.r;
      const a = x.alpha * (x.fade > 0 ? Math.min(1, (x.track.length - x.d) / x.fade) : 1);
      g.fillStyle = x.colour;
      g.globalAlpha = a * 0.25;
      g.beginPath();
      g.arc(p.x, p.y, r * 2, 0, 7);
      g.fill();
      g.globalAlpha = a;
      g.beginPath();
      g.arc(p.x, p.y, r, 0, 7);
      g.fill();
      if (x.count > 1) {
        g.fillStyle = this.ink;
        g.fillText(`×${x.count}`, p.x + r + 3, p.y - 4);
      }
    }
    g.globalAlpha = 1;
  }

  clear() {
    this.dots.length = 0;
    this.draw();
  }
}
