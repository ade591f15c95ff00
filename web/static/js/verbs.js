// @ts-check
// The buttons that act on a node: which make sense in which state, and what happens when one is pressed. The main ones
// stand at the node, the others behind its "more" button.

import { attr, el } from './dom.js';
import { post } from './api.js';
import { fault } from './words.js';

/** @typedef {(text: string, bad?: boolean) => void} Say */
/** @typedef {{latency_ms?: number, share?: number}} Body of an action */
/** @typedef {{say: Say, more: (b: HTMLButtonElement, verbs: Verbs) => void}} Hands what buttons do besides acting: tell what
 *   came of it, and show the others */
/** @typedef {import('./messages.js').Node} N */

/** @type {import('./messages.js').State[]} */
const RUNS = ['up', 'starting', 'paused', 'unknown'];

/** @type {Record<string, {when: import('./messages.js').State[], name: string, title: string, done: (b: Body) => string}>} */
export const VERBS = {
  kill: { when: RUNS, name: 'kill', title: 'Ends it at once, without warning (SIGKILL)', done: () => 'was killed' },
  start: { when: ['down', 'unknown'], name: 'start', title: 'Starts it again on the same data', done: () => 'was started' },
  pause: { when: ['up'], name: 'pause', title: 'Keeps it alive but silent', done: () => 'was paused' },
  resume: { when: ['paused'], name: 'resume', title: 'Lets it go on', done: () => 'goes on' },
  stop: { when: ['up', 'starting'], name: 'stop', title: 'Asks it to end in good order (SIGTERM)', done: () => 'was stopped' },
  slow: { when: RUNS, name: 'slow', title: 'Its answers come later by so much', done: (b) => `is made slow: ${fault({ kind: 'slow', latency_ms: b.latency_ms ?? 0, share: 0 }).slice(5)}` },
  errors: { when: RUNS, name: 'errors', title: 'So many of its requests fail', done: (b) => `now has ${fault({ kind: 'errors', latency_ms: 0, share: b.share ?? 0 })}` },
  cut: { when: RUNS, name: 'cut off', title: 'No network to it and from it: what is sent is lost', done: () => 'was cut off' },
  heal: { when: [...RUNS, 'down'], name: 'heal', title: 'Lifts slow, cut off and errors', done: () => 'was healed' },
};

/** @typedef {Pick<N, 'state'|'verbs'|'faults'|'replicas'>} Acted what verbs depend on */

/** The states of a node: of one that runs more than once, those of its replicas. @param {Acted} n */
const statesOf = (n) => (n.replicas.length > 1 ? n.replicas.map((r) => r.state) : [n.state]);

/** Verbs that would do something now. @param {Acted} n @returns {string[]} */
export const offered = (n) => Object.keys(VERBS).filter((v) => n.verbs.includes(v) && statesOf(n).some((s) => VERBS[v].when.includes(s))
  && (v !== 'heal' || n.faults.length > 0) && (v !== 'cut' || !n.faults.some((f) => f.kind === 'cut')));

/**
 * Verbs to show at the node: one that ends or starts it and, with room for two, one that silences it; of a paused one the
 * way on. Heal stands with the faults; with room for one alone, here.
 * @param {Acted} n @param {number} room
 */
export function main(n, room) {
  const all = offered(n), mend = room === 1 && n.state !== 'down' ? ['heal'] : [];
  const order = statesOf(n).includes('paused') ? ['resume'] : ['start', 'kill', all.includes('pause') ? 'pause' : 'stop'];
  return [...mend, ...order].filter((v) => all.includes(v)).slice(0, room);
}

/** Verbs behind "more". @param {Acted} n @param {number} room */
export function others(n, room) {
  const shown = main(n, room);
  return offered(n).filter((v) => !shown.includes(v) && (v !== 'heal' || n.faults.length > 0));
}

/** The row of buttons of one node, or what acts on one of its replicas. */
export class Verbs {
  /** @param {string} id of the node @param {Hands} hands @param {number} [room] verbs beside "more"
   *  @param {string} [replica] the only one that is acted on; '': all of the node */
  constructor(id, hands, room = 2, replica = '') {
    this.id = id;
    this.replica = replica;
    /** How that replica does, in words; '' for a node. */
    this.about = '';
    this.name = replica ? `${id} ${replica}` : id;
    this.hands = hands;
    this.room = room;
    this.busy = false;
    this.root = el('div', 'verbs');
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
    this.more = this.button('more', '⋯', `More for ${id}`, 'Stop, slow down, cut off, let fail, heal');
    attr(this.more, 'aria-haspopup', 'dialog');
    this.more.addEventListener('click', () => hands.more(this.more, this));
    /** @type {N|undefined} */
    this.node = undefined;
  }

  /** @param {N} n */
  render(n) {
    this.node = n;
    const want = main(n, this.room);
    let lost = false;
    for (const [verb, b] of this.buttons) {
      if (want.includes(verb)) continue;
      lost ||= document.activeElement === b;
      b.remove();
      this.buttons.delete(verb);
    }
    for (const verb of want) {
      if (this.buttons.has(verb)) continue;
      const b = this.button(verb, VERBS[verb].name, `${verb[0].toUpperCase()}${verb.slice(1)} ${this.id}`, VERBS[verb].title);
      b.addEventListener('click', () => this.act(verb));
      this.buttons.set(verb, b);
    }
    const all = n.replicas.length > 1 ? `. All ${n.replicas.length} replicas; one alone: by its light` : '';
    for (const [verb, b] of this.buttons) attr(b, 'title', `${VERBS[verb].title}${all}`);
    const row = want.map((verb) => /** @type {HTMLButtonElement} */ (this.buttons.get(verb)));
    if (others(n, this.room).length > 0) row.push(this.more);
    else this.more.remove();
    row.forEach((b, i) => {
      if (this.root.children[i] !== b) this.root.insertBefore(b, this.root.children[i] ?? null);
      attr(b, 'aria-disabled', this.busy ? 'true' : null);
    });
    if (lost) row[0]?.focus(); // the keyboard stays where it was
  }

  /** @param {string} cls @param {string} name @param {string} label @param {string} title */
  button(cls, name, label, title) {
    const b = el('button', `verb verb-${cls}`, name);
    b.type = 'button';
    b.title = title;
    b.setAttribute('aria-label', label);
    return b;
  }

  /** @param {string} verb @param {Body} [body] */
  async act(verb, body) {
    if (this.busy) return;
    this.mark(true);
    const begun = performance.now();
    try {
      await post(`/api/v1/nodes/${encodeURIComponent(this.id)}/${verb}${this.replica ? `?replica=${encodeURIComponent(this.replica)}` : ''}`, body);
      this.hands.say(`${this.name} ${VERBS[verb].done(body ?? {})} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
    } catch (e) {
      this.hands.say(`${verb} ${this.name}: ${e instanceof Error ? e.message : e}`, true);
    } finally {
      this.mark(false);
    }
  }

  /** @param {boolean} busy */
  mark(busy) {
    this.busy = busy;
    for (const b of [...this.buttons.values(), this.more]) attr(b, 'aria-disabled', busy ? 'true' : null);
    this.root.classList.toggle('busy', busy);
  }
}
