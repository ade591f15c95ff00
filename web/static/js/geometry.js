// @ts-check
// Curves: chains of cubic Béziers, and points on them at even distances. Pure.

/**
 * A chain of cubic Béziers: a start point, then three points for each segment.
 * @typedef {number[]} Chain [x0, y0, (c1x, c1y, c2x, c2y, x, y)...]
 */
/** @typedef {{xy: Float32Array, n: number, length: number}} Track points at even distances along a chain */

/** @param {Chain} c */
export function svgPath(c) {
  const f = (/** @type {number} */ v) => String(Math.round(v * 10) / 10);
  let d = `M${f(c[0])},${f(c[1])}`;
  for (let i = 2; i + 5 < c.length; i += 6) {
    d += ` C${f(c[i])},${f(c[i + 1])} ${f(c[i + 2])},${f(c[i + 3])} ${f(c[i + 4])},${f(c[i + 5])}`;
  }
  return d;
}

/** @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 @returns {Chain} a straight line */
export function line(x0, y0, x1, y1) {
  return [x0, y0, x0 + (x1 - x0) / 3, y0 + (y1 - y0) / 3, x0 + ((x1 - x0) * 2) / 3, y0 + ((y1 - y0) * 2) / 3, x1, y1];
}

/** Continues a chain to a point that it leaves and reaches vertically. @param {Chain} c @param {number} x @param {number} y */
export function vertical(c, x, y) {
  const [px, py] = [c[c.length - 2], c[c.length - 1]];
  const m = (py + y) / 2;
  c.push(px, m, x, m, x, y);
  return c;
}

/** As vertical, but horizontally. @param {Chain} c @param {number} x @param {number} y */
export function horizontal(c, x, y) {
  const [px, py] = [c[c.length - 2], c[c.length - 1]];
  const m = (px + x) / 2;
  c.push(m, py, m, y, x, y);
  return c;
}

/** Continues a chain straight. @param {Chain} c @param {number} x @param {number} y */
export function straight(c, x, y) {
  c.push(...line(c[c.length - 2], c[c.length - 1], x, y).slice(2));
  return c;
}

/**
 * Through corners that are rounded: a polyline whose every inner corner is an arc of at most radius r.
 * @param {number[]} points x, y, x, y, ... @param {number} r @returns {Chain}
 */
export function rounded(points, r) {
  /** @type {Chain} */
  const c = [points[0], points[1]];
  for (let i = 2; i + 3 < points.length; i += 2) {
    const [ax, ay, bx, by, cx, cy] = points.slice(i - 2, i + 4);
    const [inX, inY, outX, outY] = [bx - ax, by - ay, cx - bx, cy - by];
    const li = Math.hypot(inX, inY) || 1, lo = Math.hypot(outX, outY) || 1;
    const k = Math.min(r, li / 2, lo / 2);
    straight(c, bx - (inX / li) * k, by - (inY / li) * k);
    c.push(bx - (inX / li) * k * 0.45, by - (inY / li) * k * 0.45, bx + (outX / lo) * k * 0.45, by + (outY / lo) * k * 0.45,
      bx + (outX / lo) * k, by + (outY / lo) * k);
  }
  return straight(c, points[points.length - 2], points[points.length - 1]);
}

/** Appends a chain to another, with a straight line between. @param {Chain} a @param {Chain} b @returns {Chain} */
export function joined(a, b) {
  const c = straight(a.slice(), b[0], b[1]);
  c.push(...b.slice(2));
  return c;
}

/** @param {Chain} c @param {number} i segment @param {number} t 0..1 @param {number} axis 0 or 1 */
function bezier(c, i, t, axis) {
  const b = i * 6 + axis, s = 1 - t;
  return s * s * s * c[b] + 3 * s * s * t * c[b + 2] + 3 * s * t * t * c[b + 4] + t * t * t * c[b + 6];
}

/**
 * Points at even distances, about one every `step` units.
 * @param {Chain} c @param {number} [step] @returns {Track}
 */
export function track(c, step = 4) {
  const segments = (c.length - 2) / 6, fine = 24;
  /** @type {number[]} */
  const xs = [c[0]], ys = [c[1]], at = [0];
  for (let i = 0; i < segments; i++) {
    for (let k = 1; k <= fine; k++) {
      const x = bezier(c, i, k / fine, 0), y = bezier(c, i, k / fine, 1);
      at.push(at[at.length - 1] + Math.hypot(x - xs[xs.length - 1], y - ys[ys.length - 1]));
      xs.push(x);
      ys.push(y);
    }
  }
  const length = at[at.length - 1];
  const n = Math.max(2, Math.ceil(length / step) + 1);
  const xy = new Float32Array(n * 2);
  for (let i = 0, k = 1; i < n; i++) {
    const want = (length * i) / (n - 1);
    while (k < at.length - 1 && at[k] < want) k++;
    const span = at[k] - at[k - 1] || 1;
    const t = Math.min(1, Math.max(0, (want - at[k - 1]) / span));
    xy[i * 2] = xs[k - 1] + (xs[k] - xs[k - 1]) * t;
    xy[i * 2 + 1] = ys[k - 1] + (ys[k] - ys[k - 1]) * t;
  }
  return { xy, n, length };
}

/** Point at a distance from the track's start, held within it. @param {Track} t @param {number} d @param {{x: number, y: number}} out */
export function pointAt(t, d, out) {
  const f = t.length > 0 ? (Math.min(Math.max(d, 0), t.length) / t.length) * (t.n - 1) : 0;
  const i = Math.min(t.n - 2, Math.floor(f)), r = f - i;
  out.x = t.xy[i * 2] + (t.xy[i * 2 + 2] - t.xy[i * 2]) * r;
  out.y = t.xy[i * 2 + 1] + (t.xy[i * 2 + 3] - t.xy[i * 2 + 1]) * r;
  return out;
}
