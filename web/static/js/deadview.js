// @ts-check
// Dead letters: what a consumer gave up on, why and when; each can be opened and sent again.

import { el } from './dom.js';
import { payload } from './eventview.js';
import { button, folded, part, say } from './pieces.js';
import { age, count } from './words.js';

/** @typedef {import('./replies.js').DeadReply} DeadReply @typedef {DeadReply['dead'][number]} Letter */

/** So many are asked for and shown. */
export const LETTERS = 200;

/** @param {Letter} d @param {number} now */
const letter = (d, now) => el('li', 'letter', el('p', 'letter-head', el('b', '', d.type || 'no type'), ` of ${d.subject || '?'}`),
  say(d.reason || 'no reason was kept', 'bad'),
  el('p', 'words', `${d.group || 'its reader'} gave up${d.attempts > 0 ? ` after ${d.attempts} tries` : ''}${Number.isNaN(d.at) ? '' : ` · ${age(now - d.at)} ago`} · ${d.of || d.stream}`),
  el('div', 'letter-foot', folded('Open', ...payload(d.raw)), button('resend', 'Send again', `${d.stream}/${d.entry_id}`)));

/** @param {DeadReply} r @param {number} now */
export function deadView({ dead, total }, now) {
  if (dead.length === 0) return [say('No dead letters. Nobody gave up on an event.')];
  return [
    say(`${count(total)} ${total === 1 ? 'event was' : 'events were'} put away after too many tries. Sent again, ${total === 1 ? 'it is' : 'each is'} added to its stream anew.`),
    el('div', 'letter-all', ...[...new Set(dead.map((d) => d.stream))].map((s) => button('resend', `Send all of ${s} again`, s))),
    ...part('', el('ol', 'letters', ...dead.map((d) => letter(d, now)))),
    ...(total > dead.length ? [say(`… ${count(total - dead.length)} older ones not shown`)] : []),
  ];
}
