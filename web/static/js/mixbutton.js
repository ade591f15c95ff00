// @ts-check
// The button of the "Mix" window: there where the traffic can be changed, and marked where not all of it could be made.

import { byId } from './dom.js';
import { Later, styled } from './later.js';
import { count } from './words.js';

/** What was left out, in words; '' for nothing. @param {import('./messages.js').Load} l */
export const dropped = (l) => (l.dropped > 0 ? `${count(l.dropped)} requests were not made: too many were on their way.` : '');

export class MixButton {
  /** @param {import('./verbs.js').Say} say */
  constructor(say) {
    this.root = byId('mix');
    this.mix = new Later('the window of the mix', async () => new (await styled(import('./mix.js'), 'popover')).Mix(say), say);
    /** @type {import('./world.js').World|undefined} */
    this.world = undefined;
    this.root.addEventListener('click', () => this.mix.use((m) => {
      if (this.world) m.render(this.world);
      m.open(this.root);
    }));
  }

  /** @param {import('./world.js').World} w */
  render(w) {
    this.world = w;
    const { load } = w, words = dropped(load);
    this.root.hidden = Object.keys(load.patterns).length === 0 && Object.keys(load.features).length === 0;
    this.root.classList.toggle('warned', words !== '');
    this.root.title = words || 'Which patterns and features the traffic uses';
    this.mix.part?.render(w);
  }
}
