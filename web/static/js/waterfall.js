// @ts-check
// One real request, hop by hop: each a bar to one scale of time; below, the events on the bus that it caused, one line a
// stream.

import { attr, el, text } from './dom.js';
import { millis } from './words.js';
import { colourOf } from './world.js';

/** @typedef {import('./answers.js').Waterfall} Waterfall */
/** @typedef {import('./answers.js').Hop} Hop */

/** A bar is never thinner than this, per cent. */
const THIN = 0.8;
/** A bar that ends before this leaves room for a word, per cent. */
const WORD = 66;

/** How long the picture is, ms: until the last that happened for the request. @param {Waterfall} w */
export const span = (w) => Math.max(0.1, w.took_ms, ...w.hops.map((h) => h.start_ms + h.took_ms), ...w.messages.map((m) => m.at_ms));

/** Where a bar stands, in per cent of the span. @param {number} start @param {number} took @param {number} whole */
export function bar(start, took, whole) {
  const width = Math.min(100, Math.max(THIN, (took / whole) * 100));
  return { left: Math.min(100 - width, Math.max(0, (start / whole) * 100)), width };
}

/** @type {Record<string, string>} */
const VIAS = { bus: 'bus', store: 'database' };

/** @param {Hop} h */
export const ends = (h) => `${h.from || 'dashboard'} → ${h.to}`;

/** A hop in a sentence. @param {Hop} h */
export function hopSentence(h) {
  const how = h.via === 'bus' ? 'over the bus' : h.via === 'store' ? 'into its database' : 'by request';
  const what = [h.method, h.path].filter(Boolean).join(' ');
  return `${ends(h)} ${how}${what ? `, ${what}` : ''}: ${h.failed ? `failed${h.reason ? `, ${h.reason}` : ''}, ` : ''}after ${millis(h.start_ms)}, took ${millis(h.took_ms)}`;
}

/** How it went, where there is room: behind its bar, before it, else on it. @param {string} via @param {{left: number, width: number}} place */
export function word(via, place) {
  const i = el('i', 'fall-via', via), end = place.left + place.width;
  if (end <= WORD) i.style.left = `${end}%`;
  else if (place.left >= 100 - WORD) i.style.right = `${100 - place.left}%`;
  else {
    i.classList.add('within');
    i.style.left = `${place.left}%`;
  }
  return i;
}

/** @param {Hop} h @param {number} whole */
function row(h, whole) {
  const name = el('span', 'fall-name', ends(h)), via = VIAS[h.via];
  name.style.paddingLeft = `${Math.min(4, h.depth - 1) * 9}px`;
  const b = el('span', `fall-bar via-${h.via || 'request'}`), place = bar(h.start_ms, h.took_ms, whole);
  b.style.left = `${place.left}%`;
  b.style.width = `${place.width}%`;
  const track = el('span', 'fall-track', b);
  if (via) track.append(word(via, place));
  const li = el('li', `fall-row${h.failed ? ' failed' : ''}`, name, track,
    el('span', 'fall-time', h.failed ? '✕' : millis(h.took_ms)));
  if (h.failed && h.reason) li.append(el('span', 'fall-reason', h.reason));
  li.title = hopSentence(h);
  return li;
}

/** @param {string} stream @param {Waterfall} f @param {number} whole @param {import('./world.js').World} w */
function messages(stream, f, whole, w) {
  const all = f.messages.filter((m) => m.stream === stream), track = el('span', 'fall-track');
  for (const m of all) {
    const t = el('span', `fall-tick back-${colourOf(w, stream)}`);
    t.style.left = `${Math.min(100, (m.at_ms / whole) * 100)}%`;
    t.title = `${m.type} of ${m.subject}${m.node ? `, by ${m.node}` : ''}, after ${millis(m.at_ms)}`;
    track.append(t);
  }
  const li = el('li', 'fall-row', el('span', 'fall-name', stream, el('i', 'fall-via', 'events')), track, el('span', 'fall-time', `× ${all.length}`),
    el('span', 'hidden', all.map((m) => `${m.type} after ${millis(m.at_ms)}`).join('; ')));
  return li;
}

/** @param {Element} parent @param {Waterfall} f @param {import('./world.js').World} w */
export function waterfall(parent, f, w) {
  const whole = span(f);
  const axis = el('div', 'fall-axis', el('span', '', '0'), el('span', '', millis(whole)));
  axis.ariaHidden = 'true';
  const rows = el('ol', 'fall', ...f.hops.map((h) => row(h, whole)),
    ...[...new Set(f.messages.map((m) => m.stream))].map((s) => messages(s, f, whole, w)));
  attr(rows, 'aria-label', 'Hop by hop');
  const after = whole > f.took_ms * 1.02 ? ` What comes after that was not waited for.` : '';
  const foot = el('p', 'fall-foot');
  text(foot, `${f.failed ? 'Failed' : 'Answered'} after ${millis(f.took_ms)}.${after}`);
  parent.replaceChildren(axis, rows, foot);
}
