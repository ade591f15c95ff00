// @ts-check
// What a service has committed and cannot publish: said between its card and the bus. It is how a dead bus is seen.

import { el, Keyed, put, text } from './dom.js';
import { age, count } from './words.js';

/** From this age on the oldest is worth a word: younger ones are on their way. */
const OLD = 1000;

/** @param {import('./messages.js').Node} n */
export const stuck = (n) => n.outbox.waiting > 0 && n.outbox.oldest_ms >= OLD;

/** Its height, and how far from the card. */
export const LABEL = { h: 22, gap: 5 };

/** @param {number} n */
const brief = (n) => (n < 10000 ? count(n) : `${count(n / 1000)}k`);

/** @param {import('./messages.js').Outbox} o */
export const outboxWords = (o) => `${o.more ? 'over ' : ''}${brief(o.waiting)} ${o.waiting === 1 ? 'waits' : 'wait'} in its outbox, oldest ${age(o.oldest_ms)}`;

export class Outboxes {
  /** @param {Element} labels */
  constructor(labels) {
    this.labels = new Keyed(labels, (id) => el('span', 'outbox-label', el('span', 'hidden', `${id}: `), el('span')));
  }

  /**
   * @param {import('./world.js').World} w @param {import('./layout.js').Layout} l @param {import('./lens.js').Lens} lens
   * @param {import('./layout.js').Box[]} boxes where labels stand, about; its own are added
   */
  render(w, l, lens, boxes) {
    for (const [id, p] of l.places) {
      const n = w.nodes.get(id);
      if (!n || !stuck(n)) continue;
      const s = this.labels.get(id), up = p.bank < 0 && !l.tall;
      text(s.children[1], outboxWords(n.outbox));
      s.classList.toggle('faint', lens.hidesNode(n));
      const y = l.tall || up ? p.y + p.h + LABEL.gap : p.y - LABEL.gap - LABEL.h;
      const wide = l.tall ? 8 : 12, box = { x: p.x - wide, y, w: p.w + wide * 2, h: LABEL.h };
      boxes.push(box);
      put(s, { x: box.x, y: box.y, w: box.w });
    }
    this.labels.sweep();
  }
}
