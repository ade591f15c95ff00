// @ts-check
// How many events a consumer gave up on: said at its card and at the lane, and opened from there.

import { attr, el, Keyed, put, text } from './dom.js';
import { stuck } from './outbox.js';
import { count } from './words.js';

/** Dead letters by service and by stream. @param {import('./world.js').World} w */
export function deadOf(w) {
  const by = { services: /** @type {Map<string, [number, string]>} */ (new Map()), streams: /** @type {Map<string, number>} */ (new Map()) };
  for (const e of w.edges.values()) {
    if (e.kind !== 'take' || e.dead <= 0) continue;
    const s = by.services.get(e.to);
    by.services.set(e.to, [(s?.[0] ?? 0) + e.dead, s && s[1] !== e.from ? '' : e.from]);
    by.streams.set(e.from, (by.streams.get(e.from) ?? 0) + e.dead);
  }
  return by;
}

export class DeadMarks {
  /** @param {Element} labels */
  constructor(labels) {
    this.marks = new Keyed(labels, () => {
      const b = el('button', 'dead-mark');
      b.type = 'button';
      return b;
    });
  }

  /**
   * They are never faint: what was given up on matters in every pattern.
   * @param {import('./world.js').World} w @param {import('./layout.js').Layout} l @param {import('./layout.js').Box[]} boxes where labels stand, about; its own are added
   */
  render(w, l, boxes) {
    const { services, streams } = deadOf(w);
    for (const [id, p] of l.places) {
      const [n, of] = services.get(id) ?? [0, ''], node = w.nodes.get(id);
      if (n === 0 || !node) continue;
      const words = `✉ ${count(n)} dead letter${n === 1 ? '' : 's'}`, under = l.tall || p.bank > 0;
      const y = l.tall ? p.y + p.h + (stuck(node) ? 29 : -6) : under ? p.y + p.h - 5 : p.y - 13;
      this.mark(`node ${id}`, words, of ? `dead=${of}` : `node=${id}`, `${id} gave up on ${count(n)} events`, { x: p.x + 12, y, w: words.length * 6.6 + 18, h: 20 }, boxes);
    }
    for (const [name, n] of streams) {
      const p = l.lanes.get(name), words = `✉ ${n > 999 ? '999+' : n}`, wide = words.length * 6.6 + 10;
      if (!p) continue;
      const box = l.tall ? { x: p.x1 - 9, y: p.y2 - 20, w: 18, h: 18 } : { x: p.x2 + 2, y: p.y1 - 9, w: wide, h: 18 };
      this.mark(`lane ${name}`, l.tall ? '✉' : words, `dead=${name}`, `${count(n)} dead letters of the stream ${name}`, box, boxes);
    }
    this.marks.sweep();
  }

  /** @param {string} key @param {string} words @param {string} opens @param {string} label @param {import('./layout.js').Box} box
   *  @param {import('./layout.js').Box[]} boxes */
  mark(key, words, opens, label, box, boxes) {
    const b = this.marks.get(key);
    text(b, words);
    attr(b, 'data-opens', opens);
    attr(b, 'aria-label', `${words}: ${label}`);
    b.title = label;
    put(b, box);
    boxes.push(box);
  }
}
