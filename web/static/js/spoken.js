// @ts-check
// The map in words, for those who do not see it: what a node is and does, and what its lines show. Pure.

import { and, called, millis, short, tally } from './words.js';

/** @typedef {import('./messages.js').Node} N */
/** @typedef {{ails: string, does: string}} Told ails: what goes wrong at its lines, '' for nothing; does: all its lines */

/** @param {number} n a second, without a sign that is read out */
const figure = (n) => String(n < 10 ? Math.round(n * 10) / 10 : Math.round(n));

/** @param {number} since ms of the epoch @param {number} now @returns {string} '' where unknown */
export function lasts(since, now) {
  const s = Math.max(0, Math.floor((now - since) / 1000));
  if (Number.isNaN(s)) return '';
  const [n, unit] = s < 120 ? [s, 'second'] : s < 7200 ? [Math.floor(s / 60), 'minute'] : [Math.floor(s / 3600), 'hour'];
  return ` for ${n} ${unit}${n === 1 ? '' : 's'}`;
}

/** @param {import('./messages.js').Fault} f */
function fault(f) {
  switch (f.kind) {
    case 'slow': return `slow by ${millis(f.latency_ms)}`;
    case 'cut': return 'cut off';
    case 'errors': return `made to fail ${Math.round(f.share * 100)} % of its requests`;
    default: return f.kind;
  }
}

/** A node and its state: "orders, service for buy: up, 11 requests a second, slow by 300 ms". @param {N} n @param {number} now ms */
export function spoken(n, now) {
  const is = called(n), several = tally(n);
  const parts = [n.state === 'up' || n.state === 'unknown' ? is : is + lasts(n.since, now)];
  if (several) parts.push(several);
  if (n.state === 'up' && n.kind === 'service') {
    parts.push(n.rate > 0 ? `${figure(n.rate)} requests a second` : 'idle');
    if (n.errors > 0.05) parts.push(`${figure(n.errors)} a second fail`);
  }
  parts.push(...n.faults.map(fault));
  if (n.reason && n.state !== 'up' && n.reason !== is) parts.push(n.reason);
  return `${n.id}, ${n.kind}${n.label ? ` for ${n.label}` : ''}: ${parts.join(', ')}`;
}

/** What the lines show, by node. @param {import('./world.js').World} w @returns {Map<string, Told>} */
export function told(w) {
  /** @type {Map<string, {calls: string[], reaches: string[], emits: string[], takes: string[], ails: string[], waits: number, lost: boolean}>} */
  const of = new Map();
  const at = (/** @type {string} */ id) => {
    let t = of.get(id);
    if (!t) of.set(id, t = { calls: [], reaches: [], emits: [], takes: [], ails: [], waits: 0, lost: false });
    return t;
  };
  for (const e of w.edges.values()) {
    if (e.kind === 'emit') at(e.from).emits.push(e.to);
    else if (e.kind === 'take') {
      const t = at(e.to);
      t.takes.push(e.from);
      t.waits += Math.max(0, e.waiting); // -1 is unknown
      t.lost ||= e.trimmed_unread;
    } else {
      const t = at(e.from);
      (e.kind === 'call' ? t.calls : t.reaches).push(e.to);
      if (e.failed_rate > 0) t.ails.push(`${e.kind === 'call' ? 'its requests to' : 'its reaches into'} ${e.to} fail, ${figure(e.failed_rate)} a second: ${short(e.reason)}`);
    }
  }
  const out = new Map();
  for (const [id, t] of of) {
    if (t.waits > 0) t.ails.push(`${t.waits} ${t.waits === 1 ? 'event waits' : 'events wait'} at its door`);
    if (t.lost) t.ails.push('some events were lost to it unread');
    const does = [t.calls.length > 0 ? `sends requests to ${and(t.calls)}` : '', t.reaches.length > 0 ? `reaches into ${and(t.reaches)}` : '',
      t.emits.length > 0 ? `puts events on ${and(t.emits)}` : '', t.takes.length > 0 ? `takes events from ${and(t.takes)}` : ''].filter(Boolean);
    out.set(id, { ails: sentence(t.ails), does: sentence(does.length > 0 ? [`It ${does.join('; ')}`] : []) });
  }
  return out;
}

/** @param {string[]} parts */
const sentence = (parts) => (parts.length > 0 ? `${parts.join('; ').replace(/^./, (c) => c.toUpperCase())}.` : '');
