// @ts-check
// How an action is shown: what it does, its button, how far it is, and what came of it.

import { el } from './dom.js';
import { progressWords, proof } from './datawords.js';
import { looksOnly } from './onlylooks.js';
import { button, say } from './pieces.js';
import { clock } from './words.js';

/** @typedef {import('./dataparts.js').Action} Action @typedef {import('./dataparts.js').Progress} Progress */
/** @typedef {import('./world.js').World} World */

/** Why nothing is offered here; '' where it is. @param {World} w @param {Action[]} [all] */
export function barred(w, all = []) {
  if (looksOnly()) return 'You follow a class, so nothing is offered here: only its presenter acts.';
  if (w.control && !w.control.can) return `This dashboard only looks, so nothing is offered here. ${w.control.why}`;
  const whys = new Set(all.map((a) => a.why)), [why] = whys;
  return all.length > 1 && whys.size === 1 && why && all.every((a) => !a.can) ? `Nothing of this can be done here: ${why}.` : '';
}

/** @param {Progress} p @param {string} name */
function bar(p, name) {
  const share = p.state === 'done' ? 100 : Math.min(100, Math.round((100 * p.done) / p.total)), fill = el('i', 'bar-fill');
  fill.style.width = `${share}%`;
  const b = el('div', 'bar', fill);
  b.setAttribute('role', 'progressbar');
  b.setAttribute('aria-label', name);
  b.setAttribute('aria-valuenow', String(share));
  return b;
}

/** How far a job is, and at its end what the digests prove. @param {Progress|null} p @param {string} name */
export function progress(p, name) {
  if (!p || p.state === 'idle') return [];
  const equal = proof(p), line = el('p', `words${p.state === 'failed' ? ' bad' : ''}`, progressWords(p), ...(Number.isNaN(p.ended) ? [] : [` · at ${clock(p.ended)}`]));
  return [
    ...(p.state === 'running' && p.total > 0 ? [bar(p, name)] : []), line, ...(p.said ? [say(p.said, p.state === 'failed' ? 'bad' : '')] : []),
    ...(p.before ? [el('div', 'digests', el('span', '', 'before'), el('code', '', p.before), ...(p.after ? [el('span', '', 'after'), el('code', '', p.after)] : []))] : []),
    ...(equal ? [el('p', `verdict ${equal.equal ? 'good' : 'bad'}`, equal.words)] : []),
  ];
}

/** @param {Action} a @param {import('./actions.js').Actions} all @param {World} w @param {...(Node|string)} more */
export function doing(a, all, w, ...more) {
  const running = a.progress?.state === 'running', busy = all.busy.has(a.id), word = all.said.get(a.id);
  const none = barred(w, all.all) !== '', b = button('run', a.name + (busy ? '…' : ''), a.id);
  if (busy || running) b.setAttribute('aria-disabled', 'true');
  const box = el('article', 'do', el('div', 'do-head', none || !(a.can || running) ? el('h4', '', a.name) : b, el('p', 'words', a.say)),
    ...(none || running || !a.why ? [] : [a.joins.length > 0 ? say(a.why) : say(a.can ? a.why : `Not now: ${a.why}`, 'warn')]), ...more, ...progress(a.progress, a.name),
    ...(word?.words ? [say(word.words, word.bad ? 'bad' : 'good')] : []));
  box.dataset.action = a.id;
  return box;
}

/** What stands above a view of actions: why there is none, and what could not be heard. @param {import('./actions.js').Actions} all @param {World} w */
export const above = (all, w) => [...(barred(w, all.all) ? [el('p', 'notice', barred(w, all.all))] : []), ...(all.failed ? [el('p', 'notice warned', all.failed)] : [])];
