// @ts-check
// The nearest in a direction. Pure.

/** @typedef {{left: number, top: number, right: number, bottom: number}} Rect */
/** @typedef {'left'|'right'|'up'|'down'} Way */

/** How much worse a step aside is than a step ahead. */
const ASIDE = 3;

/**
 * The index of the nearest box in a direction: one whose middle lies ahead, little aside. Boxes that overlap in the other
 * axis are straight ahead and win over those that do not, as the eye has it.
 * @param {Rect} from @param {Rect[]} boxes @param {Way} way @returns {number} -1 for none
 */
export function neighbour(from, boxes, way) {
  const across = way === 'left' || way === 'right', sign = way === 'right' || way === 'down' ? 1 : -1;
  /** @param {Rect} r @returns {[number, number, number]} middle along, and both ends across */
  const axes = (r) => (across ? [(r.left + r.right) / 2, r.top, r.bottom] : [(r.top + r.bottom) / 2, r.left, r.right]);
  const [a, lo, hi] = axes(from);
  let best = -1, least = Infinity;
  boxes.forEach((r, i) => {
    const [b, l, h] = axes(r), ahead = (b - a) * sign;
    if (ahead <= 1) return;
    const gap = Math.max(0, l - hi, lo - h), off = Math.abs((l + h) / 2 - (lo + hi) / 2);
    const cost = ahead + ASIDE * gap + off * 0.3;
    if (cost < least) [best, least] = [i, cost];
  });
  return best;
}
