// @ts-check
// What the side panel says of a node, a stream and a connection.

import { el } from './dom.js';
import { policy, size } from './datawords.js';
import { outboxWords, stuck } from './outbox.js';
import { facts, folded, link, part, say, table } from './pieces.js';
import { members, replicas, resources } from './runs.js';
import { age, and, clock, count, engine, faults, millis, rate, state, tally } from './words.js';
import { behind, PILE } from './world.js';

/** @typedef {import('./world.js').World} World */
/** @typedef {{w: World, now: number}} Ctx now: the server's clock, ms */

/** A count that may be unknown. @param {number} n */
export const known = (n) => (n < 0 ? 'unknown' : count(n));

/** Failing in words, marked; '–' for none. @param {number} n a second */
const fails = (n) => (n > 0 ? el('b', 'bad', `✕ ${rate(n)}`) : '–');
const pace = (/** @type {number} */ ms) => (ms > 0 ? millis(ms) : '–');

/** @param {string} of @param {number} n dead letters, -1 unknown */
export const deadLink = (of, n) => (n > 0 ? link('dead', of, `✉ ${count(n)}`) : n < 0 ? '?' : '–');

/** @param {number} [n] how many, where that is known */
const trimmed = (n = 0) => say(`⚠ ${n > 0 ? `${count(n)} ` : ''}entries were cut off the stream before this group had read them: its copy misses them until all is published again`, 'warn');

/** @param {import('./messages.js').Node} n @param {Ctx} c */
export function nodeHead(n, { w, now }) {
  const s = state(n, now), since = n.state === 'up' ? age(now - n.since) : '';
  const does = n.rate > 0 && n.state === 'up' ? ` · p50 ${millis(n.p50_ms)}${n.errors > 0.05 ? ` · ✕ ${rate(n.errors)}` : ''}` : '';
  const line = el('p', `words strong${tally(n) && n.state === 'up' ? ' warn' : ''}`, `${s.symbol} ${s.text}${does}${since ? ` · up for ${since}` : ''}${faults(n)}`);
  line.dataset.state = n.state;
  const own = n.holds.filter((h) => !h.copy), copies = n.holds.filter((h) => h.copy);
  const name = (/** @type {{kind: string}} */ h) => w.system.kinds.find((k) => k.id === h.kind)?.name ?? h.kind;
  return [line, ...(n.reason && n.state !== 'up' ? [say(n.reason, 'bad')] : []), ...(stuck(n) ? [say(outboxWords(n.outbox), 'warn')] : []),
    ...facts(['does', n.label], ['runs on', n.kind === 'service' ? '' : n.version || engine(n)], ['of', n.owner ? link('node', n.owner) : ''],
      ['owns', and(own.map(name))], ['copies', and(copies.map((h) => `${name(h)}${behind(w, n.owner, h.kind) ? ' (behind)' : ''}`))],
      ['data', n.volatile ? 'forgotten when it ends: kept in memory alone' : '']), ...replicas(n, now), ...resources(n)];
}

/** @param {import('./replies.js').NodeReply} r @param {Ctx} c */
export function nodeView(r, c) {
  const { node: n } = r, reached = n.kind === 'store';
  const other = (/** @type {{edge: string, kind: string, rate: number, failed_rate: number, p50_ms: number, reason: string}} */ x, /** @type {string} */ id) => [
    [link('edge', x.edge, `${id}${x.kind === 'reach' && !reached ? ' (its database)' : ''}`), rate(x.rate), fails(x.failed_rate), pace(x.p50_ms)],
    ...(x.failed_rate > 0 && x.reason ? [[say(x.reason, 'bad')]] : [])];
  return [
    ...part('Routes', ...table('Routes', ['route', '#rate', '#errors', '#p50', '#p99'], r.routes.flatMap((x) => [
      [`${x.method} ${x.route}`, rate(x.rate), fails(x.failed_rate), pace(x.p50_ms), pace(x.p99_ms)],
      ...(x.last_error && x.failed > 0 ? [[say(`${clock(x.last_error_at)} ${x.last_error}`, x.failed_rate > 0 ? 'bad' : '')]] : [])]))),
    ...part('Takes', ...table('Events that it takes', ['stream', '#rate', '#waits', '#oldest', '#retries', '#dead letters'], r.takes.flatMap((x) => [
      [link('stream', x.stream), rate(x.rate), waits(x), x.oldest_ms > 0 ? age(x.oldest_ms) : '–', x.retries < 0 ? '?' : count(x.retries), deadLink(x.stream, x.dead)],
      ...members(x.members, c.w.nodes.get(n.id)), ...(x.trimmed_unread ? [[trimmed()]] : [])]))),
    ...part('Emits', ...table('Events that it emits', ['stream', '#rate', '#so far', 'types'], r.emits.map((x) => [
      link('stream', x.stream), rate(x.rate), count(x.total), x.types.map((t) => `${t.type} ${count(t.total)}`).join(', ')]))),
    ...part('Calls', ...table('What it calls', ['to', '#rate', '#errors', '#p50'], r.calls.flatMap((x) => other(x, x.to)))),
    ...part(reached ? 'Who reaches in' : 'Called by', ...table('Who calls it', ['from', '#rate', '#errors', '#p50'], r.callers.flatMap((x) => other(x, x.from)))),
    ...part('Store', ...r.stores.map((s) => el('p', 'words', link('node', s.id), ` · ${s.version || engine(s)} · ${state(s, c.now).text}`,
      s.holds.length > 0 ? ` · holds ${and(s.holds.map((h) => `${h.kind}${h.copy ? ' (copy)' : ''}`))}` : ''))),
    ...part('Recent errors', ...r.errors.length > 0 ? table('Recent errors', ['when', 'where', 'what'], r.errors.map((x) => [el('time', '', clock(x.at)), x.where, el('span', 'bad', x.text)]))
      : n.kind === 'service' ? [say('None was seen.')] : []),
    ...part('', ...r.env.length > 0 ? [folded(`Environment (${r.env.length})`, ...table('Environment', ['name', 'value'], r.env.map((x) => [x.name, x.value])))] : []),
  ];
}

/** What waits for a group. @param {{waiting?: number, lag: number, pending: number}} g */
function waits(g) {
  const n = g.waiting ?? (g.lag < 0 ? -1 : g.lag + g.pending), s = el('span', n >= PILE ? 'warned' : '', n < 0 ? 'unknown' : count(n));
  s.title = `${known(g.lag)} not read, ${known(g.pending)} read and not done`;
  return s;
}

/** The bus has its streams. @param {World} w */
export const busView = (w) => part('Streams', ...table('Streams', ['stream', '#rate', '#kept', '#waits', '#dead letters'], [...w.streams.values()].map((s) => {
  const takes = [...w.edges.values()].filter((e) => e.kind === 'take' && e.from === s.name), lag = takes.map((e) => e.waiting);
  return [link('stream', s.name), rate(s.rate), count(s.length), lag.some((n) => n < 0) ? 'unknown' : count(lag.reduce((a, b) => a + b, 0)),
    s.dead ? link('dead', s.name, 'open') : deadLink(s.name, takes.reduce((a, e) => a + Math.max(0, e.dead), 0))];
})));

/** @param {import('./replies.js').StreamReply} r @param {Ctx} c */
export function streamView(r, { w, now }) {
  const s = r.stream, entry = (/** @type {{entry_id: string, at: number}|null} */ e) => (e ? `${e.entry_id}${Number.isNaN(e.at) ? '' : ` · ${age(now - e.at)} ago`}` : s.length > 0 ? 'not known now' : 'none');
  const deads = [...w.edges.values()].reduce((a, e) => a + (e.kind === 'take' && e.from === s.name ? Math.max(0, e.dead) : 0), 0);
  return [
    ...facts(['kept', `${count(s.length)} entries${s.bytes >= 0 ? `, ${size(s.bytes)}` : ''}`], ['keeps', s.keep_entries + s.keep_bytes > 0 ? policy(s) : ''], ['added so far', count(s.total)], ['first', entry(r.first)], ['last', entry(r.last)],
      ['emitted by', r.emitters.length > 0 ? el('span', '', ...r.emitters.flatMap((id, i) => [i ? ', ' : '', link('node', id)])) : 'nobody that is known'],
      ['dead letters', s.dead ? link('dead', s.name, 'open them') : deads > 0 ? deadLink(s.name, deads) : '']),
    ...part('Who takes it', ...table('Groups', ['service', '#waits', '#behind', '#readers', '#retries'], r.groups.flatMap((g) => [
      [g.service ? link('edge', `take:${s.name}>${g.service}`, g.service) : g.name, waits(g), g.lag_ms > 0 ? `${age(g.lag_ms)}` : '–', known(g.consumers), g.retries < 0 ? '?' : count(g.retries)],
      ...(g.trimmed_unread ? [[trimmed()]] : [])])), ...(r.groups.length === 0 ? [say('No group reads it.')] : [])),
  ];
}

/** @type {Record<string, string>} */
const WAYS = { call: 'requests', reach: 'reaches into its database', emit: 'emits', take: 'takes' };

/** @param {import('./messages.js').Edge} e */
export function edgeHead(e) {
  const [from, to] = [link(e.kind === 'take' ? 'stream' : 'node', e.from), link(e.kind === 'emit' ? 'stream' : 'node', e.to)];
  return [el('p', 'words strong', from, ' → ', to, ` · ${WAYS[e.kind]} · ${rate(e.rate)}`, ...(e.p50_ms > 0 ? [` · p50 ${millis(e.p50_ms)}`] : [])),
    ...(e.failed_rate > 0 ? [say(`✕ ${rate(e.failed_rate)} fail${e.reason ? `: ${e.reason}` : ''}`, 'bad')] : []),
    ...facts(['so far', `${count(e.total)}${e.failed > 0 ? `, ${count(e.failed)} failed` : ''}`],
      ['waits', e.kind === 'take' ? `${known(e.waiting)}${e.oldest_ms > 0 && e.waiting > 0 ? `, oldest ${age(e.oldest_ms)}` : ''}` : ''],
      ['dead letters', e.kind === 'take' && e.dead > 0 ? deadLink(e.from, e.dead) : '']),
    ...(e.trimmed_unread ? [trimmed(e.missed)] : [])];
}

/** @param {import('./replies.js').EdgeReply} r */
export function edgeView(r) {
  const rows = r.last.map((x) => {
    const what = x.event ? link('event', x.event.id, `${x.event.type || 'no type'} of ${x.event.subject}`) : `${x.method} ${x.path}`.trim() || x.kind;
    const how = x.failed ? el('b', 'bad', `✕ ${x.reason || x.status || 'failed'}`) : x.status ? `${x.status}` : '✓';
    return [el('time', '', clock(x.at, true)), what, how, x.took_ms === null ? '–' : millis(x.took_ms)];
  });
  return part('Newest', ...rows.length > 0 ? table('Newest on this connection', ['when', 'what', 'how', '#took'], rows) : [say('Nothing was seen on it yet.')]);
}
