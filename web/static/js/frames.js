// @ts-check
// The one animation loop. It stands still while nothing moves.

/** A longer pause than this (a hidden tab) counts as this much. */
const LONGEST = 100;

/**
 * @param {(dt: number) => boolean} step advances by ms of elapsed time; true while something still moves
 * @returns {{wake: () => void}}
 */
export function loop(step) {
  let running = false, last = 0;
  /** @param {number} now */
  function tick(now) {
    const dt = Math.min(LONGEST, Math.max(0, now - last));
    last = now;
    running = step(dt);
    if (running) requestAnimationFrame(tick);
  }
  return {
    wake() {
      if (running) return;
      running = true;
      last = performance.now();
      requestAnimationFrame(tick);
    },
  };
}
