// @ts-check
// The header's word where this dashboard can look at the system but not act on it, and why.

import { byId, el, text } from './dom.js';
import { Later, styled } from './later.js';

export class Looking {
  /** @param {import('./verbs.js').Say} say */
  constructor(say) {
    this.root = byId('looking');
    this.why = el('p', 'why');
    this.popover = new Later('why nothing can be acted on', async () => new (await styled(import('./popover.js'), 'popover')).Popover('looking-why', this.why), say);
    this.root.addEventListener('click', () => this.popover.use((p) => p.show(this.root, 'Why this dashboard only looks')));
  }

  /** @param {import('./world.js').World} w */
  render({ control }) {
    const only = control !== null && !control.can;
    this.root.hidden = !only;
    if (!only) return this.popover.part?.close();
    const why = control.why || 'Nodes cannot be acted on from here.';
    this.root.title = why;
    text(this.why, why);
  }
}
