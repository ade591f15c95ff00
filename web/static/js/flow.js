// @ts-check
// How a rate is shown: few events a second as dots, one for each; many as a stream of light, which is denser, wider and
// brighter the more there are, always as fast; in between both, the one fading as the other comes. Pure.

/** Up to so many a second all are dots; from so many on none is. */
export const DOTS = 5, LIGHT = 12;

/** The stream's share of what is shown, 0 to 1; the dots have the rest. @param {number} rate a second */
export function light(rate) {
  if (!(rate > DOTS)) return 0;
  return rate >= LIGHT ? 1 : Math.log(rate / DOTS) / Math.log(LIGHT / DOTS);
}

/** Distance between two flashes of a thin stream; denser ones halve it once and once more. */
const GAP = 48;

/**
 * A stream's look, in units of the map. Flashes stand a gap apart; halfway between two stands one that fades in (between, 0
 * to 1), until the gap halves: so a growing rate moves no flash.
 * @param {number} rate a second, 5 to 10,000 and more @param {{gap: number, between: number, width: number, alpha: number}} out
 */
export function beam(rate, out) {
  const x = Math.min(1, Math.max(0, Math.log10(Math.max(1, rate) / DOTS) / Math.log10(10000 / DOTS)));
  const level = Math.min(2, Math.floor(x * 2.999));
  out.gap = GAP / 2 ** level;
  out.between = level === 2 ? 0 : Math.min(1, x * 2.999 - level);
  out.width = 2 + x * 2.6;
  out.alpha = 0.55 + x * 0.45;
  return out;
}

/** How strong a line is drawn: '' for few, then 1 for tens a second to 4 for ten thousand. @param {number} rate */
export const strength = (rate) => (light(rate) < 0.5 ? '' : String(Math.min(4, Math.max(1, Math.floor(Math.log10(rate))))));
