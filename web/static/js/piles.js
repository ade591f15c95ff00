// @ts-check
// Events that wait at a service's door: a pile of dots, and how many and how old they are in words.

import { attr, el, Keyed, put, svg, text } from './dom.js';
import { LABEL, stuck } from './outbox.js';
import { age, count } from './words.js';
import { colourOf, PILE, waiting } from './world.js';

/** Rows of a pile; it grows with the logarithm of what waits. */
const ROWS = 6, STEP = 7;

/** How many dots a pile of n events has. @param {number} n */
export const heap = (n) => Math.min((ROWS * (ROWS + 1)) / 2, Math.max(3, Math.round(4 * Math.log2(n + 1) - 4)));

export class Piles {
  /** @param {SVGElement} lines @param {Element} labels */
  constructor(lines, labels) {
    const group = svg('g', { class: 'piles' });
    lines.append(group);
    this.heaps = new Keyed(group, () => svg('g', { class: 'pile' }));
    this.labels = new Keyed(labels, () => el('span', 'pile-label', el('b'), el('span'), el('span', 'hidden')));
  }

  /**
   * @param {import('./world.js').World} w @param {import('./layout.js').Layout} l @param {import('./lens.js').Lens} lens
   * @param {import('./layout.js').Box[]} boxes where labels stand, about; its own are added
   */
  render(w, l, lens, boxes) {
    for (const [id, p] of l.places) {
      const wait = waiting(w, id);
      const shown = wait.known >= PILE || wait.unknown || wait.trimmed;
      if (!shown) continue;
      const up = p.bank < 0, line = l.tall || l.compact, faint = lens.hidesNode(w.nodes.get(id));
      const n = w.nodes.get(id), off = 6 + (n && stuck(n) ? LABEL.h + LABEL.gap : 0); // behind what is said of its outbox
      const foot = l.tall ? { x: p.x + 34, y: p.y - 3 } : { x: p.x + p.w * 0.24, y: up ? p.y + p.h + off : p.y - off };
      const g = this.heaps.get(id);
      this.draw(g, w, wait, foot, up && !l.tall);
      const s = this.labels.get(id);
      s.dataset.opens = g.dataset.opens = `node=${id}`;
      const [head, tail, who] = s.children;
      text(who, ` at the door of ${id}`);
      const hole = wait.trimmed && wait.known === 0 && !wait.unknown; // nothing waits, and yet its copy is not whole
      text(head, hole ? `${wait.missed > 0 ? count(wait.missed) : 'some'} ${wait.missed === 1 ? 'event' : 'events'} missed` : wait.unknown && wait.known === 0 ? 'unknown number waits' : `${count(wait.known)} events wait`);
      text(tail, hole ? l.tall ? 'trimmed' : 'trimmed unread' : wait.trimmed ? l.tall ? 'some lost' : 'some lost unread' : wait.oldest_ms > 0 ? `${l.tall ? 'for' : 'oldest'} ${age(wait.oldest_ms)}` : '');
      s.classList.toggle('tall', line);
      s.classList.toggle('faint', faint);
      g.classList.toggle('faint', faint);
      const [a, b] = [head.textContent.length * 7 + 20, tail.textContent.length * 6.4 + 20];
      const width = line ? a + b - 20 : Math.max(a, b);
      const box = { x: Math.min(foot.x + (l.tall ? 28 : 34), l.width - width), y: l.tall ? p.y - 26 : up ? p.y + p.h + off : p.y - off - (line ? 22 : 38), w: width, h: line ? 22 : 38 };
      boxes.push(box);
      put(s, { x: box.x, y: box.y });
    }
    this.heaps.sweep();
    this.labels.sweep();
  }

  /** @param {SVGGElement} g @param {import('./world.js').World} w @param {ReturnType<typeof waiting>} wait
   *  @param {{x: number, y: number}} foot @param {boolean} hang below the card, growing downwards */
  draw(g, w, wait, foot, hang) {
    const n = wait.known > 0 ? heap(wait.known) : 0;
    const key = `${n}|${foot.x}|${foot.y}|${wait.streams.map((s) => `${s.name}${Math.round((s.waiting / wait.known) * n)}`)}`;
    if (g.dataset.key === key) return;
    attr(g, 'data-key', key);
    /** @type {string[]} */
    const colours = [];
    for (const s of wait.streams) {
      for (let i = 0; i < Math.round((s.waiting / wait.known) * n); i++) colours.push(colourOf(w, s.name));
    }
    let rows = 1;
    while ((rows * (rows + 1)) / 2 < n) rows++;
    const dots = [];
    for (let r = 0, k = 0; r < rows && k < n; r++) {
      for (let i = 0; i < rows - r && k < n; i++, k++) {
        const x = foot.x + (i - (rows - r - 1) / 2) * STEP, y = foot.y + (hang ? 1 : -1) * r * (STEP - 1);
        dots.push(svg('circle', { cx: x, cy: y, r: 2.9, class: `fill-${colours[k] ?? colours[colours.length - 1] ?? 0}` }));
      }
    }
    g.replaceChildren(...dots);
  }
}
