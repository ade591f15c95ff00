// @ts-check
// Troubles made on the bus on purpose: it loses what it has, a stream is cut, something comes that should not. Beside each
// what is to be expected, and what the bus answered.

import { post } from './api.js';
import { reason, UNKNOWN, within } from './actions.js';
import { disturbed, lost, trimmed } from './dataparts.js';
import { barred, doing, above } from './doing.js';
import { el } from './dom.js';
import { become, button, link, say } from './pieces.js';
import { count } from './words.js';

/** @typedef {import('./world.js').World} World */
/** @typedef {{words: string, bad: boolean, entry?: string}} Word entry: of an event that can be looked at */

const SECONDS = 10;
/** A bus that forgets is asked, waits, and answers: that may take so long, ms. */
const DONE = 30000;

/** @type {{how: string, name: string, say: string}[]} */
const DISTURBANCES = [
  { how: 'malformed', name: 'Malformed event', say: 'Nobody can read it: each consumer tries, gives up, and puts it among the dead letters. What comes after it goes on.' },
  { how: 'duplicate', name: 'The same event twice', say: 'Each consumer sees a version that it has already, and skips it. No copy changes.' },
  { how: 'old', name: 'An old event, out of order', say: 'Each consumer has a newer version already, and skips it: no copy goes back in time.' },
  { how: 'huge', name: 'A huge event (1 MB)', say: 'It is over the limit that consumers have: a dead letter with that reason, and nobody is held up.' },
];

/** Groups for which entries were cut off before they had read them. @param {World} w @returns {{service: string, stream: string}[]} */
export const unread = (w) => [...w.edges.values()].filter((e) => e.kind === 'take' && e.trimmed_unread).map((e) => ({ service: e.to, stream: e.from }));

export class Trouble {
  /** @param {import('./data.js').Hands} hands */
  constructor(hands) {
    this.hands = hands;
    this.acts = true;
    /** @type {Set<string>} under way */
    this.busy = new Set();
    /** What came of each, by what was done. @type {Map<string, Word>} */
    this.said = new Map();
    this.root = el('div', 'trouble', el('div'));
    this.root.addEventListener('click', (e) => {
      const b = /** @type {HTMLElement|null} */ (/** @type {Element} */ (e.target).closest('[data-act]')), act = b?.dataset.act ?? '', arg = b?.dataset.arg ?? '';
      if (!b || b.getAttribute('aria-disabled') === 'true') return;
      if (act === 'run') hands.actions.run(arg);
      else if (act === 'lose' || act === 'trim' || act === 'disturb') this.make(act, arg);
    });
  }

  show() {}

  hide() {}

  /** @param {string} name of a field @returns {string} */
  field(name) {
    return /** @type {HTMLInputElement|HTMLSelectElement|null} */ (this.root.querySelector(`[name="${name}"]`))?.value ?? '';
  }

  /** @param {'lose'|'trim'|'disturb'} act @param {string} arg */
  async make(act, arg) {
    const key = act + arg, of = encodeURIComponent(this.field(`${act}-stream`)), n = Number(this.field('keep'));
    if (act === 'trim' && (!Number.isInteger(n) || n < 0)) {
      this.said.set(key, { words: '✕ how many stay: a whole number, 0 or more', bad: true });
      return this.hands.changed();
    }
    this.busy.add(key);
    this.said.delete(key);
    this.hands.changed();
    try {
      this.said.set(key, await within(async (s) => {
        if (act === 'lose') return lostWords(lost(await post('/api/v1/bus/lose', arg === 'all' ? { all: true } : { seconds: SECONDS }, s)));
        if (act === 'trim') {
          const cut = trimmed(await post(`/api/v1/streams/${of}/trim`, { keep: n }, s));
          return { words: cut > 0 ? `✓ ${count(cut)} entries were cut off ${this.field('trim-stream')}` : `nothing was cut off: ${this.field('trim-stream')} has no more than that`, bad: false };
        }
        const d = disturbed(await post(`/api/v1/streams/${of}/disturb`, { how: arg }, s));
        return { words: `✓ ${d.said || 'it is on the stream'}`, bad: false, entry: d.entry };
      }, DONE, UNKNOWN));
    } catch (e) {
      this.said.set(key, { words: `✕ ${reason(e)}`, bad: true });
    }
    this.busy.delete(key);
    this.hands.changed();
  }

  /** @param {World} w */
  render(w) {
    const { actions } = this.hands, streams = [...w.streams.values()].filter((s) => !s.dead && s.kind !== '').map((s) => s.name), can = !barred(w);
    const one = (/** @type {string} */ act, /** @type {string} */ arg, /** @type {string} */ name, /** @type {string} */ what, /** @type {(Node|string)[]} */ ...fields) => {
      const key = act + arg, busy = this.busy.has(key), word = this.said.get(key), b = button(act, busy ? 'Asking…' : name, arg);
      if (busy) b.setAttribute('aria-disabled', 'true');
      return el('article', 'do', el('div', 'do-head', can ? b : el('h4', '', name), ...(can ? fields : []), el('p', 'words', what)),
        ...(word ? [el('p', `words ${word.bad ? 'bad' : 'good'}`, word.words, ...(word.entry ? [' · ', link('event', word.entry, 'see who took it how')] : []))] : []));
    };
    const select = (/** @type {string} */ name) => {
      const s = el('select', '', ...streams.map((x) => el('option', '', x)));
      s.name = name;
      s.setAttribute('aria-label', name === 'trim-stream' ? 'Stream to cut' : 'Stream to disturb');
      return s;
    };
    const keep = el('input', 'keep');
    Object.assign(keep, { type: 'text', inputMode: 'numeric', name: 'keep' });
    keep.setAttribute('value', '0');
    keep.setAttribute('aria-label', 'Entries that stay');
    become(/** @type {ChildNode} */ (this.root.firstChild), el('div', '', ...above(actions, w), ...this.warnings(w),
      el('section', 'group', el('h3', '', 'The bus forgets'), el('div', 'doings',
        one('lose', 'some', `Lose the last ${SECONDS} s`, 'As when it fails over to one that had not got them yet. Owners notice that the bus is behind their journals, and publish again what it lacks; consumers double nothing.'),
        one('lose', 'all', 'Lose everything', 'As when its disk is wiped. Owners publish again all that their journals still have; copies stay as they are.'))),
      el('section', 'group', el('h3', '', 'A stream is cut'), el('div', 'doings',
        one('trim', '', 'Cut it', 'Its oldest entries go, whoever has not read them yet. Where a group had not, a warning stands here and at its door on the map, with what heals it. Pause a consumer first, to see it.', ...(can ? [select('trim-stream'), el('label', 'keeps', 'down to ', keep, ' entries')] : [])))),
      el('section', 'group', el('h3', '', 'Something comes that should not'), ...(can ? [el('label', 'on-stream', 'on stream ', select('disturb-stream'))] : []),
        el('div', 'doings', ...DISTURBANCES.map((d) => one('disturb', d.how, d.name, d.say))))));
  }

  /** What was cut off unread, and what heals it. @param {World} w */
  warnings(w) {
    const all = unread(w), { actions } = this.hands;
    return [...new Set(all.map((u) => u.stream))].map((stream) => {
      const who = all.filter((u) => u.stream === stream), heals = (actions.all ?? []).filter((a) => a.heals === stream);
      return el('section', 'alarm', el('p', 'words strong', `⚠ ${stream} was cut before all had read it`), ...who.map((u) => el('p', 'words', link('edge', `take:${stream}>${u.service}`, u.service), ' has missed entries: what it keeps of them may be old for ever, until their owner publishes them again.')),
        ...(heals.length > 0 ? heals.map((a) => doing(a, actions, w)) : actions.all ? [say('Nothing here is known to heal it.')] : []));
    });
  }
}

/** @param {{name: string, lost: number}[]} all @returns {Word} */
export function lostWords(all) {
  const some = all.filter((s) => s.lost > 0);
  return { words: some.length === 0 ? 'Nothing was lost: there was nothing in that time.' : `✓ lost: ${some.map((s) => `${s.name} ${count(s.lost)}`).join(', ')}. Watch the lanes: the owners publish them again.`, bad: false };
}
