// @ts-check
// The event bus as a river: one lane a stream, and a caption that says what it is and how it does.

import { attr, el, Keyed, put, svg, text } from './dom.js';
import { Chips } from './chips.js';
import { Verbs } from './verbs.js';
import { count, cut, engine, faults, millis, rate, state } from './words.js';
import { colourOf } from './world.js';

export class River {
  /** @param {SVGElement} lines @param {Element} cards @param {import('./verbs.js').Hands} hands */
  constructor(lines, cards, hands) {
    this.bed = svg('rect', { class: 'bed', rx: 16 });
    this.group = svg('g', { class: 'river' }, this.bed);
    lines.append(this.group);
    this.lanes = new Keyed(this.group, () => svg('g', { class: 'lane' }, svg('line'), svg('text', { class: 'lane-name' }),
      svg('text', { class: 'lane-rate' }), svg('title')));
    this.cards = cards;
    this.hands = hands;
    this.title = el('b', 'bus-title');
    this.state = el('span', 'state');
    this.rate = el('span', 'bus-fact');
    this.lag = el('span', 'bus-fact');
    this.lag.title = 'From the moment an event was committed until this dashboard knew it: the median of the last 5 seconds';
    this.badge = el('span', 'badge', 'forgets');
    this.foot = el('div', 'bus-foot', this.badge);
    this.caption = el('div', 'bus', el('div', 'bus-head', this.title, this.state), this.rate, this.lag, this.foot);
    this.caption.setAttribute('role', 'group');
    this.cards.append(this.caption);
    /** @type {Verbs|undefined} */
    this.verbs = undefined;
    /** @type {Chips|undefined} */
    this.chips = undefined;
  }

  /** @param {import('./world.js').World} w @param {import('./layout.js').Layout} l @param {import('./lens.js').Lens} lens @param {number} now */
  render(w, l, lens, now) {
    const { river } = l;
    for (const k of /** @type {const} */ (['x', 'y'])) attr(this.bed, k, String(river[k]));
    attr(this.bed, 'width', String(river.w));
    attr(this.bed, 'height', String(river.h));
    for (const [name, place] of l.lanes) {
      const lane = w.streams.get(name);
      if (!lane) continue;
      const g = this.lanes.get(name), [line, label, pace, title] = g.children, c = colourOf(w, name);
      attr(g, 'class', `lane${lane.dead ? ' lane-dead' : ''}${lens.hidesLane(name) ? ' faint' : ''}`);
      for (const k of /** @type {const} */ (['x1', 'x2', 'y1', 'y2'])) attr(line, k, String(place[k]));
      attr(line, 'class', `line-${c}`);
      attr(line, 'stroke-width', String(Math.min(9, 2 + Math.sqrt(lane.rate))));
      attr(label, 'class', `lane-name fill-${c}`);
      if (l.tall) {
        attr(label, 'transform', `translate(${place.x1 + 4},${place.y1 - 6}) rotate(-90)`);
        text(label, cut(name, 12));
        text(pace, '');
      } else {
        attr(label, 'transform', `translate(${river.x + 20},${place.y1 + 4.5})`);
        text(label, cut(name, 13));
        attr(pace, 'transform', `translate(${river.x + river.w - 18},${place.y1 + 4.5})`);
        text(pace, rate(lane.rate));
      }
      text(title, `stream ${name}: ${count(lane.length)} events kept, ${rate(lane.rate)}`);
    }
    this.lanes.sweep();
    this.group.classList.toggle('unused', [...l.lanes.keys()].every((s) => lens.hidesLane(s)) && l.lanes.size > 0);
    this.caption.classList.toggle('tall', l.tall);
    put(this.caption, { ...l.caption, w: l.tall ? l.width - 16 : 168 });
    this.head(w, lens, now);
  }

  /** @param {import('./world.js').World} w @param {import('./lens.js').Lens} lens @param {number} now */
  head(w, lens, now) {
    const n = [...w.nodes.values()].find((x) => x.kind === 'bus');
    text(this.title, n ? `event bus · ${cut(engine(n), 12)}` : 'event bus');
    this.caption.classList.toggle('faint', lens.hidesNode(n));
    if (n) {
      const s = state(n, now);
      this.caption.dataset.node = n.id;
      this.caption.dataset.state = n.state;
      attr(this.caption, 'aria-label', `event bus ${n.id}: ${n.version || engine(n)}, ${s.text}${faults(n)}`);
      text(this.state, `${s.symbol} ${s.text}`);
      this.badge.hidden = !n.volatile;
      if (!this.verbs) {
        this.verbs = new Verbs(n.id, this.hands);
        this.chips = new Chips(n.id, this.verbs);
        this.foot.prepend(this.verbs.root);
        this.foot.before(this.chips.root);
      }
      this.verbs.render(n);
      this.chips?.render(n);
    } else {
      this.badge.hidden = true;
    }
    const up = w.bus.up && (!n || n.state === 'up');
    attr(this.rate, 'title', up ? 'Events added to all streams, a second' : w.bus.reason);
    text(this.rate, up ? `${rate(w.bus.rate).replace('/s', '')} events/s` : cut(w.bus.reason || 'no events flow', 46));
    text(this.lag, up && w.bus.to_hub_ms > 0 ? `commit to dashboard ${millis(w.bus.to_hub_ms)}` : '');
    this.group.classList.toggle('dry', !up);
  }
}
