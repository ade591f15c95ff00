// @ts-check
// The faults that are in force at a node, and the button that lifts them.

import { attr, el } from './dom.js';
import { fault } from './words.js';

export class Chips {
  /**
   * @param {string} id of the node @param {import('./verbs.js').Verbs} verbs that act for it; with room for one verb alone
   *   that one is heal, and here is none
   */
  constructor(id, verbs) {
    this.inRow = verbs.room > 1;
    this.list = el('span', 'chips-list');
    this.heal = el('button', 'verb verb-heal', 'heal');
    this.heal.type = 'button';
    this.heal.addEventListener('click', () => verbs.act('heal'));
    attr(this.heal, 'aria-label', `Heal ${id}`);
    this.heal.title = 'Lifts every fault of this node';
    this.root = el('div', 'chips', this.list, this.heal);
    this.root.hidden = true;
    this.key = '';
  }

  /** @param {import('./messages.js').Node} n */
  render(n) {
    this.root.hidden = n.faults.length === 0;
    this.heal.hidden = !this.inRow || !n.verbs.includes('heal');
    const words = n.faults.map(fault), key = words.join('|');
    if (key === this.key) return;
    this.key = key;
    this.list.replaceChildren(...words.map((w) => el('span', 'chip', w)));
  }
}
