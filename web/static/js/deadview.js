// @ts-check
// Dead letters: what a consumer gave up on, why and when; each can be opened and sent again.

import { el } from './dom.js';
import { payload } from './eventview.js';
import { button, folded, part, say } from './pieces.js';
import { age, count } from './words.js';

/** @typedef {import('./replies.js').DeadReply} DeadReply @typedef {DeadReply['dead'][number]} Letter */

/** Those of a stream, named itself or by its dead letter stream. @param {DeadReply} r @param {string} of '' for all */
export const lettersOf = (r, of) => r.dead.filter((d) => !of || d.of === of || d.stream === of);

/** @param {Letter} d @param {number} now */
const letter = (d, now) => el('li', 'letter', el('p', 'letter-head', el('b', '', d.type || 'no type'), ` of ${d.subject || '?'}`),
  say(d.reason || 'no reason was kept', 'bad'),
  el('p', 'words', `${d.group || 'its reader'} gave up${d.attempts > 0 ? ` after ${d.attempts} tries` : ''}${Number.isNaN(d.at) ? '' : ` · ${age(now - d.at)} ago`} · ${d.of || d.stream}`),
  el('div', 'letter-foot', folded('Open', ...payload(d.raw)), button('resend', 'Send again', `${d.stream}/${d.entry_id}`)));

/** @param {DeadReply} r @param {string} of @param {number} now */
export function deadView(r, of, now) {
  const all = lettersOf(r, of), streams = [...new Set(all.map((d) => d.stream))];
  if (all.length === 0) return [say('No dead letters. Nobody gave up on an event.')];
  return [
    say(`${count(all.length)} ${all.length === 1 ? 'event was' : 'events were'} put away after too many tries. Sent again, ${all.length === 1 ? 'it is' : 'each is'} added to its stream anew.`),
    ...(r.dead.length < r.total ? [say(`These are among the newest ${count(r.dead.length)} of ${count(r.total)} in all.`, 'warn')] : []),
    el('div', 'letter-all', ...streams.map((s) => button('resend', `Send all of ${s} again`, s))),
    ...part('', el('ol', 'letters', ...all.slice(0, 200).map((d) => letter(d, now)))),
    ...(all.length > 200 ? [say(`… ${count(all.length - 200)} more not shown`)] : []),
  ];
}
