// @ts-check
// Services, stores and clients as cards. Keyed by node: a card is made once and then only changed where it differs.

import { Chips } from './chips.js';
import { attr, el, put, text } from './dom.js';
import { drum } from './drum.js';
import { spoken } from './spoken.js';
import { Verbs } from './verbs.js';
import { and, cut, engine, faults, millis, parted, rate, state, tally } from './words.js';
import { behind, COLOURS, storesOf } from './world.js';

/** @typedef {import('./world.js').World} World */
/** @typedef {import('./messages.js').Node} N */

/** @typedef {import('./later.js').Later<typeof import('./oncard.js')>} Runs what cards show of how nodes run, once it is wanted */

/** Between two pulses of a drum that is written without a pause, ms. */
const SELDOM = 2500;

/** A store within its owner's card, or alone. */
class Store {
  /** @param {string} id @param {import('./verbs.js').Hands} hands */
  constructor(id, hands) {
    this.verbs = new Verbs(id, hands, 1);
    this.chips = new Chips(id, this.verbs);
    this.engine = el('span', 'store-engine');
    this.state = el('span', 'state');
    this.badge = el('span', 'badge', 'forgets');
    this.badge.title = 'This store keeps its data in memory only: it forgets everything when it ends';
    this.holder = el('div', 'drum-holder');
    this.root = el('div', 'store', this.holder, this.badge, this.engine, this.state, this.chips.root, this.verbs.root);
    this.root.setAttribute('role', 'group');
    this.root.dataset.node = id;
    this.strata = '';
    this.pulsed = 0;
  }

  /** @param {N} n @param {World} w @param {number} now @param {Runs} runs */
  render(n, w, now, runs) {
    const s = state(n, now);
    this.root.dataset.state = n.state;
    text(this.engine, cut(engine(n), 12));
    text(this.state, `${s.symbol} ${s.text.split(' ')[0]}`); // how long is in the label
    this.badge.hidden = !n.volatile;
    const strata = n.holds.map((h) => {
      const i = w.system.kinds.findIndex((k) => k.id === h.kind);
      return { kind: h.kind, copy: h.copy, stale: h.copy && behind(w, n.owner, h.kind), colour: Math.max(0, i) % COLOURS, name: w.system.kinds[i]?.name ?? h.kind };
    });
    const key = JSON.stringify(strata);
    if (key !== this.strata) {
      this.strata = key;
      this.holder.replaceChildren(drum(strata));
    }
    const own = strata.filter((x) => !x.copy).map((x) => x.name), copies = strata.filter((x) => x.copy).map((x) => `${x.name}${x.stale ? ' (behind)' : ''}`);
    const uses = runs.part?.useWords(n.use), holds = [own.length ? `owns ${and(own)}` : '', copies.length ? `keeps copies of ${and(copies)}` : ''].filter(Boolean).join('; ');
    const what = `${n.id}: ${n.version || engine(n)}, ${s.text}${faults(n)}${n.volatile ? ', forgets when it ends' : ''}${holds ? `. It ${holds}` : ''}${n.reason ? `. ${n.reason}` : ''}${uses ? `. It uses ${uses}` : ''}`;
    attr(this.root, 'aria-label', what);
    attr(this.root, 'title', what);
    this.verbs.render(n);
    this.chips.render(n);
    this.root.classList.toggle('faulty', n.faults.length > 0);
  }

  /** A copy or an own record is written. @param {string} kind @param {boolean} seldom it is so often that not each is shown */
  pulse(kind, seldom) {
    for (const p of this.holder.querySelectorAll('.stratum')) {
      if (/** @type {SVGElement} */ (p).dataset.kind !== kind || p.getAnimations().length > 0) continue;
      const now = performance.now();
      if (seldom && now - this.pulsed < SELDOM) continue;
      this.pulsed = now;
      p.animate([{ filter: 'brightness(1.7)' }, { filter: 'brightness(1)' }], { duration: 420, easing: 'ease-out' });
    }
  }
}

/** A service, a client, or a store without an owner. */
class Card {
  /** @param {string} id @param {import('./verbs.js').Hands} hands */
  constructor(id, hands) {
    this.hands = hands;
    this.verbs = new Verbs(id, hands);
    this.chips = new Chips(id, this.verbs);
    this.name = el('h3', 'card-name');
    this.label = el('p', 'card-label');
    this.says = el('span', 'says');
    this.state = el('p', 'state', this.says);
    this.pace = el('p', 'card-pace');
    this.main = el('div', 'card-main', this.name, this.label, this.state, this.pace, this.chips.root, this.verbs.root);
    this.grip = el('button', 'grip', '⠿');
    this.grip.type = 'button';
    this.grip.title = 'Move: drag it, or Shift and the arrow keys';
    this.grip.setAttribute('aria-label', `Move ${id}`);
    this.unpin = el('button', 'unpin', 'unpin');
    this.unpin.type = 'button';
    this.unpin.title = 'Put here by hand. Back to where it stood';
    this.unpin.setAttribute('aria-label', `Unpin ${id}`);
    this.root = el('article', 'card', this.main, this.grip);
    this.root.dataset.node = id;
    /** @type {Map<string, Store>} */
    this.stores = new Map();
    /** @type {import('./oncard.js').OnCard|undefined} */
    this.runs = undefined;
  }

  /** @param {N} n @param {World} w @param {import('./lens.js').Lens} lens @param {number} now @param {Runs} runs */
  render(n, w, lens, now, runs) {
    const s = state(n, now);
    this.root.dataset.state = n.state;
    this.root.classList.toggle('faulty', n.faults.length > 0);
    this.root.dataset.kind = n.kind;
    text(this.name, parted(cut(n.id, 20)));
    text(this.label, cut(n.label, 24));
    const load = n.kind === 'client' && n.state === 'up' && w.load.known;
    const several = tally(n);
    if (!this.runs && runs.part && (n.use || n.replicas.length > 1)) this.runs = new runs.part.OnCard(n.id, this.hands, this.state, this.verbs.root);
    this.runs?.render(n, now);
    text(this.says, load ? `● ${w.load.per_second}/s set` : n.replicas.length > 1 ? several || s.text : `${s.symbol} ${s.text}`);
    this.state.classList.toggle('below', several !== ''); // beside lights it has no room: it stands where the pace does
    this.root.classList.toggle('partial', several !== '' && n.state === 'up');
    const fails = n.errors > 0.05 ? `✕ ${rate(n.errors)}` : '', median = n.rate > 0 ? millis(n.p50_ms) : '';
    const pace = n.state === 'up' && median ? fails && several ? fails : [median, fails].filter(Boolean).join(' · ') : '';
    text(this.pace, [several, pace || (n.state === 'up' || several ? '' : cut(n.reason, 30))].filter(Boolean).join(' · '));
    this.pace.hidden = !this.pace.textContent || n.kind === 'client'; // a client's card has no room
    this.pace.classList.toggle('bad', n.errors > 0.05 || n.state !== 'up');
    this.pace.classList.toggle('warn', several !== '' && n.state === 'up' && !fails);
    this.pace.title = pace ? `median time to answer over 5 s${n.errors > 0.05 ? `; ${rate(n.errors)} fail` : ''}` : n.reason;
    this.chips.render(n);
    attr(this.root, 'aria-label', spoken(n, now));
    this.verbs.render(n);
    const stores = n.kind === 'store' ? [n] : storesOf(w, n.id);
    for (const x of stores.slice(0, 1)) {
      let st = this.stores.get(x.id);
      if (!st) {
        st = new Store(x.id, this.hands);
        this.stores.set(x.id, st);
        this.root.append(st.root);
      }
      st.render(x, w, now, runs);
      st.root.classList.toggle('faint', lens.hidesNode(x));
    }
    this.root.classList.toggle('bare', stores.length === 0);
    const hidden = lens.hidesNode(n);
    this.main.classList.toggle('faint', hidden);
    this.root.classList.toggle('dim', hidden && stores.every((x) => lens.hidesNode(x)));
  }
}

export class Cards {
  /** @param {Element} parent @param {import('./verbs.js').Hands} hands @param {Runs} runs @param {() => void} changed it is to be drawn */
  constructor(parent, hands, runs, changed) {
    this.parent = parent;
    this.hands = hands;
    this.runs = runs;
    this.changed = changed;
    /** @type {Map<string, Card>} */
    this.cards = new Map();
  }

  /** @param {World} w @param {import('./layout.js').Layout} l @param {import('./lens.js').Lens} lens @param {number} now the server's clock, ms
   *  @param {ReadonlySet<string>} hits nodes that are searched for */
  render(w, l, lens, now, hits) {
    if (!this.runs.part && [...w.nodes.values()].some((n) => n.use || n.replicas.length > 1)) this.runs.use(this.changed);
    for (const [id, card] of this.cards) {
      if (w.nodes.has(id) && l.places.has(id)) continue;
      card.root.remove();
      this.cards.delete(id);
    }
    for (const [id, place] of l.places) {
      const n = w.nodes.get(id);
      if (!n) continue;
      let card = this.cards.get(id);
      if (!card) {
        card = new Card(id, this.hands);
        this.cards.set(id, card);
        this.parent.append(card.root);
      }
      put(card.root, place);
      card.root.classList.toggle('small', l.compact && n.kind !== 'client');
      card.root.classList.toggle('hit', hits.has(id) || [...card.stores.keys()].some((s) => hits.has(s)));
      card.grip.hidden = l.tall;
      if (place.pinned && !card.unpin.isConnected) card.root.append(card.unpin);
      else if (!place.pinned) card.unpin.remove();
      card.root.classList.toggle('apart', place.bank === 0 && n.kind === 'service');
      card.render(n, w, lens, now, this.runs);
    }
  }

  /** Data of a kind was written at a service's store. @param {string} service @param {string} kind @param {boolean} seldom it is so
   *  often that not each is shown */
  pulse(service, kind, seldom) {
    for (const s of this.cards.get(service)?.stores.values() ?? []) s.pulse(kind, seldom);
  }
}
