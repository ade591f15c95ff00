// @ts-check
// What a card shows of how its node runs: a light for each replica, and what it uses. Loaded once a node of the system runs more
// than once or its use is known.

import { Lights } from './replicas.js';
import { UseLine, useWords } from './use.js';

export { useWords };

export class OnCard {
  /** @param {string} id of the node @param {import('./verbs.js').Hands} hands @param {Element} state @param {Element} verbs of the card:
   *  lights stand first in the one, use before the other */
  constructor(id, hands, state, verbs) {
    this.lights = new Lights(id, hands);
    this.use = new UseLine();
    state.prepend(this.lights.root);
    verbs.before(this.use.root);
  }

  /** @param {import('./messages.js').Node} n @param {number} now the server's clock, ms */
  render(n, now) {
    this.lights.render(n, now);
    this.use.render(n.kind === 'client' ? null : n.use); // a client's card has no room
  }
}
