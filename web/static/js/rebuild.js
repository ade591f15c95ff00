// @ts-check
// Copies are wiped and built again from the log; what the log keeps; owners publish again what it has lost; a service joins.

import { policy, size } from './datawords.js';
import { above, doing } from './doing.js';
import { el } from './dom.js';
import { become, link, say } from './pieces.js';
import { age, and, count, state } from './words.js';
import { waiting } from './world.js';

/** @typedef {import('./world.js').World} World @typedef {import('./dataparts.js').Action} Action */

/** How full a lane is of its nearest bound, 0 to 1; 0 where none is declared. @param {import('./messages.js').Lane} l */
export const fullness = (l) => Math.max(l.keep_entries > 0 ? l.length / l.keep_entries : 0, l.keep_bytes > 0 && l.bytes > 0 ? l.bytes / l.keep_bytes : 0);

export class Rebuild {
  /** @param {import('./data.js').Hands} hands */
  constructor(hands) {
    this.hands = hands;
    this.acts = true;
    this.root = el('div', 'rebuild', el('div'));
    this.root.addEventListener('click', (e) => {
      const b = /** @type {HTMLElement|null} */ (/** @type {Element} */ (e.target).closest('[data-act="run"]'));
      if (b && b.getAttribute('aria-disabled') !== 'true') hands.actions.run(b.dataset.arg ?? '');
    });
  }

  show() {}

  hide() {}

  /** @param {World} w @param {number} now */
  render(w, now) {
    const { actions } = this.hands;
    const group = (/** @type {string} */ g, /** @type {string} */ title, /** @type {string} */ what, /** @type {(a: Action) => HTMLElement[]} */ more = () => []) => {
      const all = actions.of(g);
      return all.length > 0 ? [el('section', 'group', el('h3', '', title), say(what), el('div', 'doings', ...all.map((a) => doing(a, actions, w, ...more(a)))))] : [];
    };
    become(/** @type {ChildNode} */ (this.root.firstChild), el('div', '', ...above(actions, w), ...(actions.all || actions.failed ? [] : [say('Looking…')]),
      ...group('rebuild', 'Build a copy again', 'The copy is wiped and filled from the log, while all else runs. At the end a digest over both, the copy as it was and as it is, says whether they are equal.'),
      this.lanes(w, now),
      ...group('publish', 'Publish again', 'The owner puts the present state of each of its subjects on its stream once more, so that a copy can be built beyond what the log still has.'),
      ...group('join', 'A service joins', 'A service that was not there before is started on the running system, and builds its copy from history. Nothing else is touched.', (a) => joined(a, w))));
  }

  /** @param {World} w @param {number} now */
  lanes(w, now) {
    const all = [...w.streams.values()].filter((s) => !s.dead && s.kind !== '');
    if (all.length === 0) return el('section', '');
    const heads = ['stream', 'keeps', 'has now', '', 'oldest'];
    const table = el('table', 'grid lanes', el('thead', '', el('tr', '', ...heads.map((h) => {
      const th = el(h ? 'th' : 'td', '', h);
      if (h) th.setAttribute('scope', 'col');
      return th;
    }))), el('tbody', '', ...all.map((s) => {
      const full = fullness(s), fill = el('i', 'bar-fill'), bar = el('div', 'bar', fill), th = el('th', '', link('stream', s.name));
      th.scope = 'row';
      fill.style.width = `${Math.min(100, 100 * full)}%`;
      return el('tr', '', th, el('td', '', policy(s)), el('td', '', `${count(s.length)} ${s.length === 1 ? 'entry' : 'entries'}${s.bytes >= 0 ? `, ${size(s.bytes)}` : ''}`),
        el('td', 'fullness', ...(full > 0 ? [bar, el('span', '', full < 0.01 ? '< 1 %' : `${Math.round(100 * Math.min(1, full))} %`)] : [])), el('td', '', Number.isNaN(s.first_at) ? '–' : `${age(now - s.first_at)} old`));
    })));
    table.setAttribute('aria-label', 'What each stream keeps');
    const box = el('div', 'scroll-x', table);
    box.tabIndex = 0;
    box.setAttribute('role', 'region');
    box.setAttribute('aria-label', 'What each stream keeps');
    return el('section', 'group', el('h3', '', 'The log behind it'), say('Each stream keeps its newest entries up to a bound, so that days of traffic do not grow it without end. A copy that is built from it begins with the oldest that it still has.'), box);
  }
}

/** How those who join are: "recommendations is up and holds products; 1 200 events to read". @param {Action} a @param {World} w */
export function joined(a, w) {
  return a.joins.map((id) => {
    const n = w.nodes.get(id);
    if (!n) return el('p', 'words', `${id}: not there yet`);
    const s = state(n, NaN), wait = n.kind === 'service' ? waiting(w, id) : undefined, holds = n.holds.map((h) => w.system.kinds.find((k) => k.id === h.kind)?.name ?? h.kind);
    const does = n.state !== 'up' || !wait ? '' : wait.unknown ? ' · what it has still to read is not known' : wait.known > 0 ? ` · ${count(wait.known)} events to read: it is still building` : ' · ✓ it has read all that there is';
    return el('p', `words ${n.state === 'up' ? 'good' : n.state === 'down' ? '' : 'warn'}`, link('node', id), ` ${s.symbol} ${s.text}`, holds.length > 0 ? ` · holds ${and(holds)}` : '', does);
  });
}
