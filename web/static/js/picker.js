// @ts-check
// Picks the pattern that the map shows: one of the system's, or all. The choice stands in the address, so that it is kept
// over a reload and can be given to others.

import { keep, kept1, onMove } from './address.js';
import { el, text } from './dom.js';
import { brief } from './words.js';

export class Picker {
  /** @param {HTMLElement} group @param {Element} say @param {() => void} changed */
  constructor(group, say, changed) {
    this.group = group;
    this.say = say;
    this.changed = changed;
    this.shape = '';
    this.wanted = kept1('pattern');
    onMove(() => {
      this.wanted = kept1('pattern');
      changed();
    });
  }

  /** @param {string} id of a pattern, '' for all */
  choose(id) {
    this.wanted = id;
    keep({ pattern: id });
    this.changed();
  }

  /** @param {import('./world.js').World} w */
  render(w) {
    const { patterns } = w.system;
    const shape = JSON.stringify(patterns.map((p) => [p.id, p.name]));
    if (shape !== this.shape) {
      this.shape = shape;
      this.group.replaceChildren(...[{ id: '', name: 'All patterns', say: '' }, ...patterns].map((p) => this.option(p)));
    }
    const chosen = patterns.find((p) => p.id === this.wanted);
    for (const i of this.group.querySelectorAll('input')) i.checked = i.value === (chosen?.id ?? '');
    text(this.say, chosen ? chosen.say || chosen.name : 'Every feature is served in all patterns at once, under the same traffic and the same faults. Pick one to see what it uses.');
    /** @type {HTMLElement} */ (this.group.parentElement).hidden = patterns.length < 2;
  }

  /** @param {{id: string, name: string, say: string}} p */
  option(p) {
    const input = el('input');
    input.type = 'radio';
    input.name = 'pattern';
    input.value = p.id;
    input.setAttribute('aria-label', p.name);
    input.addEventListener('change', () => this.choose(p.id));
    const label = el('label', '', input, el('span', '', p.id ? brief(p.id) : 'All'));
    label.title = p.say ? `${p.name}. ${p.say}` : p.name;
    return label;
  }
}
