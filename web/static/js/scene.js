// @ts-check
// The canvas over the map: no larger than what of the map is seen, whatever the zoom. Draws streams of light and dots.

export class Scene {
  /** @param {HTMLCanvasElement} canvas @param {import('./light.js').Light} light @param {import('./dots.js').Dots} dots */
  constructor(canvas, light, dots) {
    this.canvas = canvas;
    const g = canvas.getContext('2d');
    if (!g) throw new Error('no canvas');
    this.g = g;
    this.light = light;
    this.dots = dots;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.ratio = 1;
  }

  /**
   * The window on the map.
   * @param {{k: number, x: number, y: number}} v scale and where the map's corner is, in pixels of the room
   * @param {number} width @param {number} height of the canvas, in pixels @param {number} top where it begins in the room
   */
  view(v, width, height, top) {
    const { canvas } = this, ratio = Math.min(2, devicePixelRatio || 1);
    const w = Math.ceil(width * ratio), h = Math.ceil(height * ratio);
    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w;
      canvas.height = h;
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    canvas.style.transform = `translate(${-v.x / v.k}px, ${(top - v.y) / v.k}px) scale(${1 / v.k})`;
    this.scale = v.k;
    this.x = v.x;
    this.y = v.y - top;
    this.ratio = ratio;
    this.draw();
  }

  /** @param {number} dt ms @returns {boolean} whether anything moves */
  step(dt) {
    const lit = this.light.step(dt), moved = this.dots.step(dt);
    this.draw();
    return lit || moved;
  }

  draw() {
    const { g, ratio } = this, s = this.scale * ratio;
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.clearRect(0, 0, this.canvas.width, this.canvas.height);
    g.setTransform(s, 0, 0, s, this.x * ratio, this.y * ratio);
    g.font = '600 10.5px system-ui, sans-serif';
    this.light.draw(g, this.scale);
    this.dots.draw(g, this.scale);
  }

  clear() {
    this.light.clear();
    this.dots.clear();
    this.draw();
  }
}
