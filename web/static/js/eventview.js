// @ts-check
// What the side panel says of an event: its envelope and payload, who has it, and what else happened for the same cause.

import { chain } from './chain.js';
import { el } from './dom.js';
import { bytes, decided } from './odd.js';
import { button, facts, folded, link, part, say, table } from './pieces.js';
import { tree } from './tree.js';
import { clock, millis } from './words.js';
import { wayTo } from './world.js';

/** @typedef {import('./replies.js').EventReply} EventReply */

/** The envelope's own fields and the payload. @param {unknown} raw @returns {{fields: [string, unknown][], payload: unknown, shaped: boolean}} */
export function opened(raw) {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw) || !('specversion' in raw)) return { fields: [], payload: raw, shaped: false };
  const { data, ...rest } = /** @type {Record<string, unknown>} */ (raw);
  return { fields: Object.entries(rest), payload: data === undefined ? null : data, shaped: true };
}

/** Nothing of it will change any more. @param {EventReply} r */
export const settled = (r) => r.deliveries.every((d) => d.state === 'has' || d.state === 'dead') && (!r.chain || r.chain.whole);

/** @param {unknown} raw */
export const rawText = (raw) => (typeof raw === 'string' ? raw : JSON.stringify(raw, null, 2));

/** @param {unknown} raw with what it is called @param {string} name */
export function payload(raw, name = 'Payload') {
  const o = opened(raw), text = el('pre', 'raw', rawText(raw));
  text.tabIndex = 0; // it may scroll
  return [
    ...part(o.shaped ? name : 'Entry', tree(o.payload)),
    ...(o.fields.length > 0 ? [folded(`Envelope (${o.fields.length})`, ...table('Envelope', ['field', 'value'], o.fields.map(([k, v]) => [k, typeof v === 'string' ? v : JSON.stringify(v)])))] : []),
    folded('Raw', button('copy', 'Copy'), text),
  ];
}

/** @param {EventReply} r @param {import('./world.js').World} w @returns {HTMLElement|string} */
function subject(r, w) {
  const way = wayTo(w, r.stream, r.subject), version = r.version > 0 ? ` · version ${r.version}` : '';
  if (!way) return r.subject + version;
  const a = el('a', 'go', r.subject);
  a.href = `#data=${encodeURIComponent(way).replaceAll('%2F', '/')}`;
  a.dataset.opens = `data=${way}`;
  a.title = 'Show it in every store that has it';
  return el('span', '', a, version);
}

/** @param {EventReply} r @param {import('./world.js').World} w */
export function eventView(r, w) {
  return [
    ...(r.size > 0 ? [say(`▲ ${bytes(r.size)}${r.problem ? `, too large: ${r.problem}` : ''}. Its payload is not kept here; it stands on the stream.`, r.problem ? 'bad' : 'warn')]
      : r.problem ? [say(`✕ ${r.problem}`, 'bad')] : []),
    ...(r.again ? [say('↻ The stream had this event before. Who has applied it knows its id or its version, and does not do so twice.')] : []),
    ...facts(['subject', subject(r, w)],
      ['emitted by', r.node ? link('node', r.node) : r.source || 'somebody unknown'], ['on', el('span', '', link('stream', r.stream), ` as ${r.entry_id}`)],
      ['at', clock(r.time, true)]),
    ...part('Who has it', ...r.deliveries.length > 0 ? table('Who has it', ['service', 'state', '#after', '#tries'], r.deliveries.flatMap((d) => {
      const { words, tone, why } = decided(d);
      return [[el('span', 'whole', link('node', d.service)), el('span', tone, words), d.after_ms === null ? '–' : millis(d.after_ms), d.attempts === null ? '–' : String(d.attempts)],
        ...(why ? [[say(why, d.state === 'has' ? '' : 'bad')]] : [])];
    })) : [say('No group takes this stream.')]),
    ...(r.size > 0 ? [] : payload(r.raw)),
    ...part('What it came from and what came of it', ...(r.chain && r.chain.steps.length > 0 ? chain(r.chain.steps, r.id, w) : [say('It carries no trace, so its cause is not known.')]),
      ...(r.chain && !r.chain.whole ? [say('More of it may still come, or was not seen.')] : [])),
  ];
}
