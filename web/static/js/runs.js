// @ts-check
// What the side panel says of how a node runs: what it uses, its replicas, and the members of a consumer group.

import { attr, el } from './dom.js';
import { button, part, say, table } from './pieces.js';
import { alone } from './replicas.js';
import { figures, meter } from './use.js';
import { offered } from './verbs.js';
import { age, called, count, faults, millis } from './words.js';

/** @typedef {import('./messages.js').Node} N */

/** @type {Record<string, string>} */
const SIGNS = { up: '●', starting: '◌', paused: '❚❚', dead: '✕', stopped: '■', unknown: '?' };

/** @param {N} n */
export const resources = (n) => (n.use ? part('Resources', el('dl', 'facts', ...figures(n.use).flatMap((f) => [el('dt', '', f.name), el('dd', '', meter(f, 'long'))]))) : []);

/** @param {N} n @param {number} now the server's clock, ms */
export const replicas = (n, now) => (n.replicas.length < 2 ? [] : part('Replicas', ...table('Replicas', ['replica', 'state', '#for', '#holds', 'verbs'], n.replicas.flatMap((r) => {
  const is = called(r), state = el('span', `is-${is}`, `${SIGNS[is]} ${is}${faults(r)}`), more = button('replica', '⋯', r.id);
  attr(more, 'aria-label', `More for ${n.id} ${r.id}`);
  attr(more, 'aria-haspopup', 'dialog');
  return [[el('b', '', r.id), state, age(now - r.since) || '–', held(r.pending, r.state !== 'up'), offered(alone(n, r)).length > 0 ? more : '–'],
    ...(r.reason && r.state !== 'up' && r.reason !== is ? [[say(r.reason, r.state === 'down' ? 'bad' : '')]] : [])];
}))));

/** @param {number} n entries, -1 unknown @param {boolean} silent that none of them goes on by itself */
const held = (n, silent) => (n < 0 ? '?' : n === 0 ? '–' : el('span', silent ? 'warned' : '', count(n)));

/** The members of one group; those that are no replica by the name that they gave. @param {import('./replies.js').NodeReply['takes'][number]['members']} all @param {N|undefined} n */
export function members(all, n) {
  if (all.length === 0) return [];
  return [[el('ul', 'members', ...all.map((m) => {
    const r = n?.replicas.find((x) => x.id === m.replica && m.replica !== ''), silent = r !== undefined && r.state !== 'up';
    return el('li', '', el('b', '', r ? `${n?.id} ${r.id}` : m.name), ' ', ...(m.pending > 0 ? ['holds ', held(m.pending, silent)] : ['holds nothing']), `, asked ${m.idle_ms < 60000 ? millis(m.idle_ms) : age(m.idle_ms)} ago`);
  }))]];
}
