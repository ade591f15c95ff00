// @ts-check
// What is odd about an event: it is none, it is too large, or it came again; in a symbol and words. Pure.

/** @typedef {Pick<import('./messages.js').Event, 'problem'|'size'|'again'|'type'>} Oddity */

/** @param {number} n bytes @returns {string} in round numbers */
export const bytes = (n) => (n < 1000 ? `${n} B` : n < 999500 ? `${Math.round(n / 1000)} kB` : `${(n / 1e6).toFixed(1)} MB`);

/**
 * How it is called in a list, and why in a sentence; '' for what is not odd.
 * @param {Oddity} e @returns {{name: string, why: string, tone: ''|'bad'|'warned'}}
 */
export function odd(e) {
  if (e.size > 0) return { name: `▲ ${bytes(e.size)} ${e.type}`, why: e.problem ? `too large: ${e.problem}` : 'so large that its payload is not kept here', tone: e.problem ? 'bad' : 'warned' };
  if (e.problem) return { name: `✕ ${e.problem}`, why: e.problem, tone: 'bad' };
  if (e.again) return { name: `↻ ${e.type || 'no type'}`, why: 'the stream had this event before', tone: 'warned' };
  return { name: e.type || 'no type', why: '', tone: '' };
}

/** What a consumer decided. @typedef {{state: string, reason: string, outcome: string}} Decision */

/** @type {Record<string, [string, string, string]>} state: symbol, words, tone */
const STATES = {
  has: ['✓', 'has it', 'good'], waits: ['…', 'waits for it', 'warned'], failed: ['✕', 'failed, will try again', 'bad'], dead: ['✉', 'gave up: dead letter', 'bad'],
  unknown: ['?', 'not known', ''],
};

/** @param {Decision} d @returns {{words: string, tone: string, why: string}} why: to be said below, '' for nothing */
export function decided(d) {
  if (d.outcome === 'skipped') return { words: `↷ skipped: ${d.reason || 'it says no reason'}`, tone: '', why: '' };
  if (d.outcome === 'applied') return { words: '✓ applied it', tone: 'good', why: '' };
  const [symbol, words, tone] = STATES[d.state] ?? STATES.unknown;
  return { words: `${symbol} ${words}`, tone, why: d.reason };
}
