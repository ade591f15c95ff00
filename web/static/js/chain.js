// @ts-check
// A causal chain as a waterfall: requests, the events that they caused, and who took those, to one scale of time.

import { el } from './dom.js';
import { link, say } from './pieces.js';
import { bar, word } from './waterfall.js';
import { millis } from './words.js';
import { colourOf } from './world.js';

/** @typedef {import('./replies.js').Step} Step */

/** So many steps are drawn. */
const MOST = 120;

/** How long the picture is, ms. @param {Step[]} steps */
export const reachOf = (steps) => Math.max(0.1, ...steps.map((s) => s.start_ms + s.took_ms));

/** A step in a sentence. @param {Step} s */
export function stepSentence(s) {
  const what = s.kind === 'event' ? `${s.from || 'somebody'} emitted ${s.type} of ${s.subject} on ${s.stream}`
    : s.kind === 'take' ? `${s.to} took ${s.type || 'it'} from ${s.stream}` : `${s.from || 'dashboard'} called ${s.to}, ${`${s.method} ${s.path}`.trim()}`;
  return `after ${millis(s.start_ms)} ${what}${s.kind === 'event' ? '' : `, took ${millis(s.took_ms)}`}${s.failed ? `, failed${s.reason ? `: ${s.reason}` : ''}` : ''}`;
}

/** @param {Step} s @param {number} whole @param {string} here @param {import('./world.js').World} w */
function row(s, whole, here, w) {
  const name = el('span', 'fall-name'), track = el('span', 'fall-track'), place = bar(s.start_ms, s.took_ms, whole), colour = `back-${colourOf(w, s.stream)}`;
  name.style.paddingLeft = `${Math.min(5, Math.max(0, s.depth - 1)) * 8}px`;
  if (s.kind === 'event') name.append(el('i', `swatch ${colour}`), s.event_id && s.event_id !== here ? link('event', s.event_id, s.type) : s.type);
  else name.append(s.kind === 'take' ? `${s.stream} ▸ ${s.to}` : `${s.from || 'dashboard'} → ${s.to}`);
  const b = s.kind === 'event' ? el('span', `fall-tick ${colour}`) : el('span', s.kind === 'take' ? `fall-tick take ${colour}` : `fall-bar via-${s.via || 'request'}`);
  b.style.left = `${place.left}%`;
  if (s.kind !== 'event') b.style.width = `${place.width}%`;
  track.append(b);
  if (s.via === 'bus' || s.via === 'store') track.append(word(s.via === 'bus' ? 'bus' : 'database', place));
  const li = el('li', `fall-row${s.failed ? ' failed' : ''}`, name, track, el('span', 'fall-time', s.failed ? '✕' : s.kind === 'event' ? `+${millis(s.start_ms)}` : millis(s.took_ms)));
  if (s.failed && s.reason) li.append(el('span', 'fall-reason', s.reason));
  if (here && s.event_id === here && s.kind === 'event') li.setAttribute('aria-current', 'true');
  li.title = stepSentence(s);
  return li;
}

/** @param {Step[]} steps in order of start @param {string} here id of the event that is open @param {import('./world.js').World} w */
export function chain(steps, here, w) {
  const whole = reachOf(steps), axis = el('div', 'fall-axis', el('span', '', '0'), el('span', '', millis(whole)));
  axis.setAttribute('aria-hidden', 'true');
  const ol = el('ol', 'fall', ...steps.slice(0, MOST).map((s) => row(s, whole, here, w)));
  ol.setAttribute('aria-label', 'Step by step');
  return [axis, ol, ...(steps.length > MOST ? [say(`… ${steps.length - MOST} more steps not shown`)] : [])];
}
