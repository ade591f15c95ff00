// @ts-check
// The events that the page has, in order, and which of those between it has not: nothing is passed over in silence. Pure.

/** @typedef {import('./messages.js').Event} Event */
/** @typedef {{gap: number, lo: number, hi: number, gone: boolean}} Gap events that are not here; gone: nor with the server any more */
/** @typedef {{type: string, subject: string, stream: string, node: string, text: string}} Filter '' lets all pass */

/** So many events are kept; of those that come while the list stands still, as many again. */
export const KEPT = 10000;

/** Whether an event passes, as the server decides it; what its payload holds only the server knows. @param {Filter} f @param {Event} e */
export const passes = (f, e) => e.type.includes(f.type) && e.subject.includes(f.subject) && (!f.stream || f.stream === e.stream) && (!f.node || f.node === e.node);

/** @param {Filter} f */
export const filtered = (f) => Object.values(f).some((v) => v !== '');

export class Rows {
  constructor() {
    /** @type {Event[]} oldest first */
    this.events = [];
    /** @type {[number, number][]} spans of numbers of which all is here that passes, oldest first, apart from each other */
    this.spans = [];
    /** @type {Set<number>} lowest numbers of gaps that the server cannot fill */
    this.gone = new Set();
    this.whole = false;
  }

  /** The highest number that is known; 0 for none. */
  get newest() {
    return this.spans.length > 0 ? this.spans[this.spans.length - 1][1] : 0;
  }

  get oldest() {
    return this.spans.length > 0 ? this.spans[0][0] : 0;
  }

  /** @param {Event[]} events that pass, in any order @param {number} lo @param {number} hi all between is known now; hi < lo: nothing
   *  @param {number} [most] */
  add(events, lo, hi, most = KEPT) {
    if (hi >= lo) this.cover(lo, hi);
    const last = this.events[this.events.length - 1]?.seq ?? 0;
    if (events.every((e, i) => e.seq > (i > 0 ? events[i - 1].seq : last))) this.events.push(...events);
    else {
      const m = new Map(this.events.map((e) => [e.seq, e]));
      for (const e of events) m.set(e.seq, e);
      this.events = [...m.values()].sort((a, b) => a.seq - b.seq);
    }
    if (this.events.length <= most) return;
    this.events.splice(0, this.events.length - most);
    const from = this.events[0].seq;
    this.spans = this.spans.filter((s) => s[1] >= from);
    this.spans[0][0] = Math.max(this.spans[0][0], from);
    this.whole = false;
  }

  /** @param {number} lo @param {number} hi */
  cover(lo, hi) {
    const end = this.spans[this.spans.length - 1];
    if (end && lo >= end[0] && lo <= end[1] + 1) { // as nearly always
      end[1] = Math.max(end[1], hi);
      return;
    }
    /** @type {[number, number][]} */
    const out = [];
    for (const s of [...this.spans, /** @type {[number, number]} */ ([lo, hi])].sort((a, b) => a[0] - b[0])) {
      const before = out[out.length - 1];
      if (before && s[0] <= before[1] + 1) before[1] = Math.max(before[1], s[1]);
      else out.push([s[0], s[1]]);
    }
    this.spans = out;
  }

  /** What there is to show, newest first: events, and where some are missing, how many. @param {number} [upTo] nothing newer
   *  @returns {(Event|Gap)[]} */
  items(upTo = Infinity) {
    /** @type {(Event|Gap)[]} */
    const out = [];
    let s = this.spans.length - 1;
    const gap = () => {
      const lo = this.spans[s - 1][1] + 1, hi = this.spans[s][0] - 1;
      if (lo <= upTo) out.push({ gap: hi - lo + 1, lo, hi, gone: this.gone.has(lo) });
      s--;
    };
    for (let i = this.events.length - 1; i >= 0; i--) {
      const e = this.events[i];
      while (s > 0 && e.seq < this.spans[s][0]) gap();
      if (e.seq <= upTo) out.push(e);
    }
    while (s > 0) gap();
    return out;
  }
}

/** An event's shape, by its type: the second sign beside its colour. @param {string} type @returns {number} 0 to 3 */
export function shapeOf(type) {
  let h = 0;
  for (const c of type.replace(/\.v\d+$/, '')) h = (h * 31 + (c.codePointAt(0) ?? 0)) % 9973;
  return h % 4;
}
