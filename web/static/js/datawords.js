// @ts-check
// Sizes, prices, ages and progress of data in words. Pure.

import { count, millis, rate } from './words.js';

/** @typedef {import('./dataparts.js').Progress} Progress @typedef {import('./dataparts.js').Copy} Copy */

/** Of a price: bytes in the GB that it is for. */
export const GB = 1e9;

/** The first digits of a number that is greater than 0, never as a power of ten: "0.0004". @param {number} n @param {number} digits */
function digits(n, digits) {
  if (n >= 10 ** (digits - 1)) return count(n);
  const places = Math.min(20, digits - 1 - Math.floor(Math.log10(n)));
  return n.toFixed(places).replace(/\.?0+$/, '');
}

/** @param {number} n bytes, -1 unknown @param {boolean} [estimated] */
export function size(n, estimated = false) {
  if (n < 0) return 'not known';
  const about = estimated ? '≈ ' : '';
  if (n < 1000) return `${about}${count(n)} ${n === 1 ? 'byte' : 'bytes'}`;
  const units = ['KB', 'MB', 'GB', 'TB'], i = Math.min(3, Math.floor(Math.log10(Math.round(n)) / 3) - 1), x = n / 1000 ** (i + 1);
  return x >= 999.5 && i < 3 ? `${about}1 ${units[i + 1]}` : `${about}${digits(x, 3)} ${units[i]}`;
}

/** @param {number} euros NaN: not known @returns {string} readable however small: "0.0004 cents" */
export function price(euros) {
  if (Number.isNaN(euros)) return '–';
  if (euros <= 0) return '0 cents';
  if (euros >= 0.995) return `€${euros < 1000 ? euros.toFixed(2) : count(euros)}`;
  const cents = digits(euros * 100, 2);
  return `${cents} ${cents === '1' ? 'cent' : 'cents'}`;
}

/** @param {number} bytes -1 unknown: then NaN @param {number} perGB euros a month */
export const monthly = (bytes, perGB) => (bytes < 0 ? NaN : (bytes / GB) * perGB);

/** @param {number} n how many times what is owned is kept in all */
export const times = (n) => (n > 0 ? `× ${digits(n, n < 10 ? 2 : 3)}` : 'not known');

/** How old what a store has of a kind is. @param {number} ms */
export const stale = (ms) => (ms > 0 ? `${millis(ms)} behind` : 'up to date');

/** @param {number} n @param {string} one */
const some = (n, one) => `${count(n)} ${one}${n === 1 ? '' : 's'}`;

/** How a copy of one thing stands to its owner's. @param {Copy} c @param {boolean} [owner] it is whose events the others follow @returns {{words: string, tone: ''|'good'|'warned'|'bad'}} */
export function standing(c, owner = true) {
  if (c.why) return { words: `✕ cannot be asked: ${c.why}`, tone: 'bad' };
  if (!c.found) return c.events_behind > 0 ? { words: `⚠ not here yet: ${some(c.events_behind, 'event')} behind`, tone: 'warned' } : { words: c.copy || owner ? 'not here' : 'not here: it keeps its own', tone: !c.copy && owner ? 'bad' : '' };
  if (!c.copy) return { words: owner ? 'the owner' : 'keeps its own: no copy', tone: '' };
  const late = c.behind_ms > 0 ? `, ${millis(c.behind_ms)}` : '';
  if (c.versions_behind > 0) return { words: `⚠ ${some(c.versions_behind, 'version')} behind${late}`, tone: 'warned' };
  if (c.events_behind > 0) return { words: `⚠ ${some(c.events_behind, 'event')} behind${late}`, tone: 'warned' };
  if (c.fields.some((f) => f.same === 'differs')) return { words: '⚠ differs from its owner', tone: 'warned' };
  return { words: '✓ as its owner', tone: 'good' };
}

/** How long a job ran. @param {Progress} p */
const took = (p) => (Number.isNaN(p.began) || Number.isNaN(p.ended) ? '' : ` in ${millis(Math.max(0, p.ended - p.began))}`);

/** "12 400 of 30 000 · 8.2k/s · 2.1 s left". @param {Progress} p */
export function progressWords(p) {
  const so = p.total > 0 ? `${count(p.done)} of ${count(p.total)}` : p.done > 0 ? `${count(p.done)} so far` : '', pace = p.done > 0 && p.per_second > 0 ? rate(p.per_second) : '';
  switch (p.state) {
    case 'running': return [so || 'it begins', pace, p.left_ms > 0 ? `${millis(p.left_ms)} left` : p.total > 0 && p.done < p.total ? 'time left not known' : ''].filter(Boolean).join(' · ');
    case 'done': return [`✓ done${took(p)}`, p.done > 0 ? `${count(p.done)} in all` : '', pace].filter(Boolean).join(' · ');
    case 'failed': return [`✕ failed${took(p)}`, so].filter(Boolean).join(' · ');
    default: return '';
  }
}

/** What the digests of before and after prove; undefined where there are not both. @param {Progress} p @returns {{equal: boolean, words: string}|undefined} */
export function proof(p) {
  if (!p.before || !p.after) return undefined;
  const equal = p.before === p.after;
  return { equal, words: equal ? '✓ equal: it is what it was' : '✕ not equal: it is another than it was' };
}

/** A lane's bounds in words. @param {{keep_entries: number, keep_bytes: number}} l */
export function policy(l) {
  const most = [l.keep_entries > 0 ? `${count(l.keep_entries)} entries` : '', l.keep_bytes > 0 ? size(l.keep_bytes) : ''].filter(Boolean);
  return most.length > 0 ? `at most ${most.join(' or ')}` : 'no bound is declared';
}

/** A number of cents as euros beside its field; '' for what is none. @param {string} label of the field @param {string} value */
export const euros = (label, value) => (/cents?\b/i.test(label) && /^-?\d+$/.test(value) ? `= €${(Number(value) / 100).toFixed(2)}` : '');

/** What is wrong with what somebody wrote into a field; '' for nothing. @param {{label: string, type: string}} f @param {string} value */
export function wrong(f, value) {
  if (value.trim() === '') return `${f.label}: nothing is written`;
  if (f.type === 'number' && !Number.isFinite(Number(value))) return `${f.label}: that is no number`;
  if (/cents?\b/i.test(f.label) && !/^\d+$/.test(value.trim())) return `${f.label}: a whole number of cents, 0 or more`;
  return '';
}
