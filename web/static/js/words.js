// @ts-check
// Numbers, ages and reasons in words. Pure.

/** @param {number} n a second */
export function rate(n) {
  if (n < 0.05) return '0/s';
  if (n < 10) return `${n.toFixed(1)}/s`;
  if (n < 999.5) return `${Math.round(n)}/s`;
  if (n < 9950) return `${(n / 1000).toFixed(1)}k/s`;
  return `${Math.round(n / 1000)}k/s`;
}

/** @param {number} n milliseconds */
export function millis(n) {
  if (n < 0.1) return '<0.1 ms';
  if (n < 10) return `${n.toFixed(1)} ms`;
  if (n < 1000) return `${Math.round(n)} ms`;
  return `${(n / 1000).toFixed(n < 10000 ? 1 : 0)} s`;
}

/** @param {number} ms milliseconds @returns {string} whole seconds and more; '' for NaN */
export function age(ms) {
  if (Number.isNaN(ms)) return '';
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 120) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 172800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}

/** @param {number} n @returns {string} with thin spaces between thousands */
export const count = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, '\u202f');

/** @param {number} ms of the epoch @param {boolean} fine with milliseconds */
export function clock(ms, fine = false) {
  if (Number.isNaN(ms)) return '';
  const d = new Date(ms);
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const hms = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  return fine ? `${hms}.${String(d.getMilliseconds()).padStart(3, '0')}` : hms;
}

/** @param {string} s @param {number} max */
export const cut = (s, max) => (s.length > max ? `${s.slice(0, max - 1).trimEnd()}…` : s);

/** Each word that is too long for a card's line can be parted in its middle. @param {string} s */
export const parted = (s) => s.replace(/[a-z]{13,}/gi, (word) => `${word.slice(0, Math.ceil(word.length / 2))}\u00AD${word.slice(Math.ceil(word.length / 2))}`);

/** @param {string} reason a failure in words @returns {string} in one or two words */
export function short(reason) {
  if (reason === '') return 'fails';
  if (/refus/i.test(reason)) return 'refused';
  if (/time[d]?[ -]?out|deadline|too long/i.test(reason)) return 'timed out';
  if (/did not answer/i.test(reason)) return 'no answer';
  if (/on purpose/i.test(reason)) return 'on purpose';
  if (/reset|closed|EOF|broke/i.test(reason)) return 'cut off';
  if (/no such host|unknown host|not resolve/i.test(reason)) return 'not found';
  const status = /\b([45]\d\d)\b/.exec(reason);
  if (status) return `error ${status[1]}`;
  return cut(reason, 18);
}

/**
 * The node that a failure names; the longest id wins, so that "orders-db" is not taken for "orders".
 * @param {string} reason @param {Iterable<string>} ids @returns {string} '' for none
 */
export function culprit(reason, ids) {
  let best = '';
  for (const id of ids) {
    if (id.length <= best.length) continue;
    const at = reason.indexOf(id);
    if (at < 0) continue;
    const edge = (/** @type {string|undefined} */ c) => c === undefined || !/[\p{L}\p{N}_-]/u.test(c);
    if (edge(reason[at - 1]) && edge(reason[at + id.length])) best = id;
  }
  return best;
}

/** @type {Record<string, string>} */
const engines = { postgres: 'Postgres', mongodb: 'MongoDB', redis: 'Redis' };

/** What a store really runs on, by one name. @param {{engine: string, version: string}} n */
export function engine(n) {
  const found = n.version.split(/[\s(]/)[0] ?? '';
  return found || engines[n.engine] || n.engine;
}

/** A state in a word: one that is down was stopped, or is dead. @param {{state: string, reason: string}} n */
export const called = (n) => (n.state !== 'down' ? n.state : /^stopp?/i.test(n.reason) ? 'stopped' : 'dead');

/** How many of several replicas are up; '' where all are, or the node runs once. @param {Pick<import('./messages.js').Node, 'replicas'>} n */
export function tally({ replicas: all }) {
  const up = all.filter((r) => r.state === 'up').length;
  if (all.length < 2 || up === all.length) return '';
  return all.every((r) => called(r) === called(all[0])) ? `all ${called(all[0])}` : `${up} of ${all.length} up`;
}

/**
 * A node's state in a symbol and words.
 * @param {import('./messages.js').Node} n @param {number} now the server's clock, ms
 */
export function state(n, now) {
  const since = age(now - n.since);
  const long = since ? ` ${since}` : '', several = tally(n);
  if (several && n.state === 'up') return { symbol: '◐', text: several };
  switch (n.state) {
    case 'up': return { symbol: '●', text: n.kind === 'service' ? (n.rate > 0 ? rate(n.rate) : 'up, idle') : 'up' };
    case 'starting': return { symbol: '◌', text: `starting${long}` };
    case 'paused': return { symbol: '❚❚', text: `paused${long}` };
    case 'down': return called(n) === 'stopped' ? { symbol: '■', text: `stopped${long}` } : { symbol: '✕', text: `dead${long}` };
    default: return { symbol: '?', text: 'unknown' };
  }
}

/** A pattern's short name, for where its name has no room: "Sync". @param {string} id */
export const brief = (id) => id.slice(0, 1).toUpperCase() + id.slice(1);

/** One fault in force, short. @param {import('./messages.js').Fault} f */
export function fault(f) {
  switch (f.kind) {
    case 'slow': return `slow +${millis(f.latency_ms)}`;
    case 'cut': return 'cut off';
    case 'errors': return `${Math.round(f.share * 100)} % errors`;
    default: return f.kind;
  }
}

/** All faults of a node or replica, to go on a sentence; '' for none. @param {{faults: import('./messages.js').Fault[]}} n */
export const faults = (n) => n.faults.map((f) => `, ${fault(f)}`).join('');

/**
 * How a node does, where it does not do well; '' where it does.
 * @param {import('./messages.js').Node} n
 */
export function trouble(n) {
  /** @type {Record<import('./messages.js').State, string>} */
  const words = { down: `is ${called(n)}`, paused: 'is paused', starting: 'is starting', unknown: 'is unknown', up: '' };
  if (n.state !== 'up') return `${n.id} ${words[n.state]}`;
  const some = tally(n), f = n.faults.map((x) => (x.kind === 'slow' ? `is slow (+${millis(x.latency_ms)})` : x.kind === 'cut' ? 'is cut off'
    : x.kind === 'errors' ? `fails ${Math.round(x.share * 100)} % of its requests` : `is ${x.kind}`));
  if (some) f.unshift(`has ${some}`);
  return f.length > 0 ? `${n.id} ${and(f)}` : '';
}

/** @param {string[]} parts @returns {string} "a, b and c" */
export function and(parts) {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts[parts.length - 1]}`;
}
