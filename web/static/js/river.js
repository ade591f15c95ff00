// @ts-check
// The event bus as a river: one lane a stream, and a caption that says what it is and how it does.

import { attr, el, Keyed, put, svg, text } from './dom.js';
import { Chips } from './chips.js';
import { Verbs } from './verbs.js';
import { count, cut, engine, faults, millis, rate, state } from './words.js';
import { colourOf, PLAIN } from './world.js';

/** What a lane keeps at most: ", at most 5 000 or 8 MB". @param {import('./messages.js').Lane} l */
function bounds(l) {
  const most = [l.keep_entries > 0 ? count(l.keep_entries) : '', l.keep_bytes > 0 ? `${Math.round(l.keep_bytes / 1e6)} MB` : ''].filter(Boolean);
  return most.length > 0 ? `, at most ${most.join(' or ')}` : '';
}

export class River {
  /**
   * @param {SVGElement} lines @param {Element} cards @param {import('./verbs.js').Hands} hands
   * @param {(id: string) => void} toggle opens or shuts a group of streams @param {(stream: string) => string} types of a stream, in words
   */
  constructor(lines, cards, hands, toggle, types) {
    this.types = types;
    /** @type {import('./layout.js').Layout|undefined} */
    this.place = undefined;
    /** @type {ReadonlySet<string>} streams that are searched for */
    this.hits = new Set();
    this.heads = new Keyed(cards, (id) => {
      const b = el('button', 'band');
      b.type = 'button';
      b.addEventListener('click', () => toggle(id));
      return b;
    });
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
    this.place = l;
    l.bands.forEach((band, i) => this.lane(w, l, lens, band, l.beds[i]));
    this.lanes.sweep();
    this.heads.sweep();
    this.group.classList.toggle('unused', [...l.lanes.keys()].every((s) => lens.hidesLane(s)) && l.lanes.size > 0);
    this.caption.classList.toggle('tall', l.tall);
    put(this.caption, { ...l.caption, w: l.tall ? l.width - 16 : 168 });
    this.head(w, lens, now);
  }

  /** @param {import('./world.js').World} w @param {import('./layout.js').Layout} l @param {import('./lens.js').Lens} lens
   *  @param {import('./bands.js').Band} band @param {import('./layout.js').LanePlace} place */
  lane(w, l, lens, band, place) {
    const { river } = l, all = band.streams.flatMap((s) => w.streams.get(s) ?? []);
    if (all.length === 0) return;
    const g = this.lanes.get(band.id), [line, label, pace, title] = g.children, sum = all.reduce((n, s) => n + s.rate, 0);
    const colours = new Set(all.map((s) => colourOf(w, s.name))), c = colours.size === 1 ? [...colours][0] : PLAIN;
    const faint = band.streams.every((s) => lens.hidesLane(s)), hit = band.streams.some((s) => this.hits.has(s));
    attr(g, 'class', `lane${all.every((s) => s.dead) ? ' lane-dead' : ''}${faint ? ' faint' : ''}${band.open ? ' open' : ''}${band.inner ? ' inner' : ''}${hit ? ' hit' : ''}`);
    attr(g, 'data-stream', band.group ? null : band.id);
    for (const k of /** @type {const} */ (['x1', 'x2', 'y1', 'y2'])) attr(line, k, String(place[k]));
    attr(line, 'class', `line-${c}`);
    attr(line, 'stroke-width', String(Math.min(l.tall && l.beds.length > 6 ? 5 : 9, 2 + 1.8 * Math.log10(1 + sum))));
    attr(label, 'class', `lane-name fill-${c}`);
    text(pace, l.tall || band.open ? '' : rate(sum));
    if (l.tall) {
      attr(label, 'transform', `translate(${place.x1 + 4},${place.y1 - 6}) rotate(-90)`);
      text(label, cut(band.name, 12));
    } else {
      attr(label, 'transform', `translate(${river.x + 20 + (band.inner ? 14 : 0)},${place.y1 + 4.5})`);
      text(label, band.group ? '' : cut(band.name, 20));
      attr(pace, 'transform', `translate(${river.x + river.w - 18},${place.y1 + 4.5})`);
    }
    text(title, band.group ? `${band.streams.length} streams: ${cut(band.streams.join(', '), 400)}; ${rate(sum)}`
      : `stream ${band.name}: ${count(all[0].length)} events kept${bounds(all[0])}, ${rate(sum)}${this.types(band.name)}`);
    if (!band.group || l.tall) return;
    const b = this.heads.get(band.id);
    text(b, `${band.open ? '▾' : '▸'} ${cut(band.name, 14)} · ${band.streams.length}`);
    attr(b, 'class', `band side-${c}`);
    attr(b, 'aria-expanded', String(band.open));
    attr(b, 'aria-label', `${band.streams.length} streams of ${band.name}`);
    put(b, { x: river.x + 12, y: place.y1 - 11 });
  }

  /** The stream whose lane runs at a point; '' for none, and for a group. @param {{x: number, y: number}} p */
  at(p) {
    const l = this.place, i = l?.beds.findIndex((b) => (l.tall ? Math.abs(p.x - b.x1) < 5 && p.y > l.river.y : Math.abs(p.y - b.y1) < 8 && p.x > l.river.x && p.x < l.river.x + l.river.w)) ?? -1;
    return l && i >= 0 && !l.bands[i].group ? l.bands[i].id : '';
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
