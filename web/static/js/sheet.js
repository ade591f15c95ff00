// @ts-check
// The sheet of keys, made from their table, with the switch that turns single characters off.

import { el } from './dom.js';
import { KEYS, single } from './keys.js';
import { setSingles, singles } from './singles.js';

/** @type {Record<import('./keys.js').Key['group'], string>} */
const GROUPS = { node: 'With a node of the map', map: 'The map', page: 'The page' };

export class Sheet {
  constructor() {
    const box = el('input');
    box.type = 'checkbox';
    box.checked = singles();
    box.addEventListener('change', () => setSingles(box.checked));
    const close = el('button', 'sheet-close', '✕');
    close.type = 'button';
    close.setAttribute('aria-label', 'Close the sheet of keys');
    const title = el('h2', '', 'Keys');
    title.id = 'sheet-title';
    this.root = el('dialog', 'sheet', el('header', '', title, close), el('div', 'sheet-groups', ...Object.entries(GROUPS).map(([g, name]) => table(name, g))),
      el('label', 'sheet-switch', box, 'Keys of a single character act. When this is off only the arrows and Enter do; everything else has its button.'));
    this.root.setAttribute('aria-labelledby', title.id);
    document.body.append(this.root);
    close.addEventListener('click', () => this.root.close());
    this.root.addEventListener('click', (e) => { // on its backdrop
      if (e.target === this.root) this.root.close();
    });
  }

  open() {
    if (!this.root.open) this.root.showModal();
  }
}

/** @param {string} name @param {string} group */
function table(name, group) {
  const rows = KEYS.filter((k) => k.group === group).map((k) => {
    const th = el('th', '', ...k.show.split(' ').map((x) => (x === '–' ? x : el('kbd', '', x))));
    th.scope = 'row';
    const tr = el('tr', single(k) ? 'single' : '', th, el('td', '', k.words));
    tr.dataset.act = k.act;
    return tr;
  });
  return el('table', '', el('caption', '', name), el('tbody', '', ...rows));
}
