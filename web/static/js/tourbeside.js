// @ts-check
// What a step has opened beside the walkthrough: a panel of data, or one request hop by hop. It goes with the step.

import { byId } from './dom.js';
import { parted } from './tourparts.js';

/** Does what would move the focus, and leaves it where the reader has it. @param {() => void} f @param {boolean} [leave] false: it may go */
function keepingFocus(f, leave = true) {
  const at = /** @type {HTMLElement|null} */ (document.activeElement);
  f();
  if (leave) at?.focus({ preventScroll: true });
}

export class Beside {
  /** @param {Pick<import('./tour.js').Page, 'data'|'cost'>} page */
  constructor(page) {
    this.page = page;
    this.opened = { data: '', cost: '' };
  }

  /** @param {{data: string, cost: string}} show '' of what is not opened @param {() => boolean} wanted still, once it has come @param {boolean} [asked] by the reader */
  open({ data, cost }, wanted, asked = false) {
    if (data) {
      this.page.data.use((d) => {
        if (!wanted()) return;
        this.opened.data = data;
        if (asked) d.open(data);
        else d.go(data); // no step of the reader's: the browser's back does not undo it
      });
    }
    if (cost) {
      this.page.cost.use((c) => {
        if (!wanted()) return;
        const { feature, pattern } = parted(cost), cell = /** @type {HTMLElement|null} */ (byId('matrix').querySelector(`[data-feature="${CSS.escape(feature)}"][data-pattern="${CSS.escape(pattern)}"] button`));
        if (!cell || (c.feature === feature && c.pattern === pattern)) return;
        this.opened.cost = cost;
        keepingFocus(() => c.show(feature, pattern, cell), !asked);
      });
    }
  }

  /** What the reader opened by hand stays. */
  close() {
    const { data, cost } = this.opened;
    keepingFocus(() => {
      if (data && this.page.data.part?.way === data) this.page.data.part.close();
      if (cost && this.page.cost.part?.key) this.page.cost.part.hide();
    });
    this.opened = { data: '', cost: '' };
  }
}
