// @ts-check
// Which of the two is seen, the map or its facts as a table: by hand, else as the number of nodes has it.

import { byId, text } from './dom.js';
import { Later, styled } from './later.js';

/** From so many nodes on the table is what opens. */
const BIG = 200;
const KEPT = 'stillup-table';

export class AsTable {
  /** @param {() => void} changed between map and table @param {import('./verbs.js').Say} say */
  constructor(changed, say) {
    this.root = byId('table');
    this.button = byId('as-table');
    this.changed = changed;
    this.table = new Later('the table', async () => {
      const { Table } = await styled(import('./table.js'), 'table');
      return new Table(this.root, changed);
    }, (words, bad) => {
      this.chosen = false; // the map is there
      say(words, bad);
      changed();
    });
    /** @type {boolean|undefined} by hand; undefined: as the number of nodes has it */
    this.chosen = read();
    this.open = false;
    this.button.addEventListener('click', () => {
      this.chosen = !this.open;
      try {
        sessionStorage.setItem(KEPT, String(this.chosen));
      } catch { /* storage is switched off: it holds until the page is left */ }
      this.table.part?.anew();
      changed();
    });
  }

  /** @param {import('./world.js').World} w @param {import('./find.js').Find} find @param {number} now */
  render(w, find, now) {
    this.open = this.chosen ?? w.nodes.size >= BIG;
    this.root.hidden = !this.open;
    text(this.button, this.open ? 'Map' : 'Table');
    if (!this.open) return;
    if (this.table.part) this.table.part.render(w, find, now);
    else this.table.use(() => this.changed());
  }
}

/** @returns {boolean|undefined} */
function read() {
  try {
    const v = sessionStorage.getItem(KEPT);
    return v === null ? undefined : v === 'true';
  } catch {
    return undefined;
  }
}
