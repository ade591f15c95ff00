// @ts-check
// The buttons that act on a node: which make sense in which state, and what happens when one is pressed.

import { attr, el } from './dom.js';
import { post } from './api.js';

/** @typedef {(text: string, bad?: boolean) => void} Say */

/** @type {Record<string, {when: import('./messages.js').State[], title: string, done: string}>} */
const VERBS = {
  kill: { when: ['up', 'starting', 'paused', 'unknown'], title: 'Ends it at once, without warning (SIGKILL)', done: 'was killed' },
  stop: { when: ['up', 'starting'], title: 'Asks it to end in good order (SIGTERM)', done: 'was stopped' },
  pause: { when: ['up'], title: 'Keeps it alive but silent', done: 'was paused' },
  resume: { when: ['paused'], title: 'Lets it go on', done: 'goes on' },
  start: { when: ['down', 'unknown'], title: 'Starts it again on the same data', done: 'was started' },
};

/** Verbs to offer. @param {{state: import('./messages.js').State, verbs: string[]}} n @returns {string[]} */
export const offered = (n) => Object.keys(VERBS).filter((v) => n.verbs.includes(v) && VERBS[v].when.includes(n.state));

/** The row of buttons of one node. */
export class Verbs {
  /** @param {string} id of the node @param {Say} say */
  constructor(id, say) {
    this.id = id;
    this.say = say;
    this.busy = false;
    this.root = el('div', 'verbs');
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
  }

  /** @param {import('./messages.js').Node} n */
  render(n) {
    const want = offered(n);
    let lost = false;
    for (const [verb, b] of this.buttons) {
      if (want.includes(verb)) continue;
      lost ||= document.activeElement === b;
      b.remove();
      this.buttons.delete(verb);
    }
    for (const verb of want) {
      if (!this.buttons.has(verb)) this.buttons.set(verb, this.button(verb));
    }
    want.forEach((verb, i) => {
      const b = /** @type {HTMLButtonElement} */ (this.buttons.get(verb));
      if (this.root.children[i] !== b) this.root.insertBefore(b, this.root.children[i] ?? null);
      attr(b, 'aria-disabled', this.busy ? 'true' : null);
    });
    if (lost) this.buttons.get(want[0] ?? '')?.focus(); // the keyboard stays where it was
  }

  /** @param {string} verb */
  button(verb) {
    const b = el('button', `verb verb-${verb}`, verb);
    b.type = 'button';
    b.title = VERBS[verb].title;
    b.setAttribute('aria-label', `${verb[0].toUpperCase()}${verb.slice(1)} ${this.id}`);
    b.addEventListener('click', () => this.act(verb));
    return b;
  }

  /** @param {string} verb */
  async act(verb) {
    if (this.busy) return;
    this.mark(true);
    const begun = performance.now();
    try {
      await post(`/api/v1/nodes/${encodeURIComponent(this.id)}/${verb}`);
      this.say(`${this.id} ${VERBS[verb].done} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
    } catch (e) {
      this.say(`${verb} ${this.id}: ${e instanceof Error ? e.message : e}`, true);
    } finally {
      this.mark(false);
    }
  }

  /** @param {boolean} busy */
  mark(busy) {
    this.busy = busy;
    for (const b of this.buttons.values()) attr(b, 'aria-disabled', busy ? 'true' : null);
    this.root.classList.toggle('busy', busy);
  }
}
