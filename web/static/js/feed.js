// @ts-check
// The events as a table: filters in its head, a pause that freezes it, and only those rows in the document that are in sight.
// Frames bring samples; what is missing between is asked for, or said.

import { get } from './api.js';
import { attr, byId, el, text } from './dom.js';
import { event } from './messages.js';
import { odd } from './odd.js';
import { json, list, object } from './parse.js';
import { filtered, KEPT, passes, Rows, shapeOf } from './rows.js';
import { clock, count } from './words.js';
import { colourOf, wayTo } from './world.js';

/** @typedef {import('./messages.js').Event} Event @typedef {import('./rows.js').Gap} Gap @typedef {import('./world.js').World} World */

/** Height of a row, px; lists.css says it too. */
const ROW = 24;
/** Rows beside those in sight; rows asked for at once; ms between two questions, and after one that failed. */
const BESIDE = 6, PAGE = 300, PACE = 1000, LATER = 4000;
/** Where more than this is missing among the newest so many rows, they run by too fast to be filled. */
const RUNS = 600, NEWEST = 500;

/** @param {Event|Gap} x */
const keyOf = (x) => ('gap' in x ? `gap ${x.lo}` : `${x.seq}`);

/** A subject that opens its copies. By keyboard the event itself leads there. @param {string} words @param {string} way */
function opener(words, way) {
  const a = el('span', 'feed-opens', words);
  a.dataset.opens = `data=${way}`;
  a.title = 'Show it in every store that has it';
  return a;
}

export class Feed {
  /** @param {Element} parent @param {(e: Event) => void} open */
  constructor(parent, open) {
    this.open = open;
    this.rows = new Rows();
    /** @type {(Event|Gap)[]} */
    this.items = [];
    /** What the list stood at when it was frozen. @type {number|undefined} */
    this.still = undefined;
    this.newer = 0;
    /** The server's newest, as far as is known, and as frames said. */
    this.top = this.heard = 0;
    this.filter = { type: '', subject: '', stream: '', node: '', text: '' };
    this.stale = false;
    this.drawn = 0;
    this.due = 0;
    this.failed = '';
    this.cursor = '';
    this.chosen = '';
    /** @type {AbortController|undefined} */
    this.request = undefined;
    /** @type {World|undefined} */
    this.w = undefined;
    this.options = '';

    this.pause = el('button', 'feed-pause', '❚❚ Pause');
    this.pause.id = 'feed-pause';
    this.pause.addEventListener('click', () => this.freeze(this.still === undefined));
    this.large = el('button', 'feed-large', '⤢');
    this.large.addEventListener('click', () => this.enlarge());
    this.search = this.input('text', 'Text in the payload', 'search payloads');
    this.search.type = 'search';
    this.line = el('p', 'feed-say');
    this.line.setAttribute('role', 'status');
    /** @type {Record<string, HTMLSelectElement>} */
    this.selects = { stream: this.select('stream'), node: this.select('node') };
    const head = (/** @type {string} */ cls, /** @type {string} */ name, /** @type {Node} */ c) => {
      const th = el('th', cls, el('span', 'hidden', name), c);
      th.scope = 'col';
      return th;
    };
    this.body = el('tbody');
    this.before = el('tr', 'spacer', el('td'));
    this.after = el('tr', 'spacer', el('td'));
    this.body.append(this.before, this.after);
    this.table = el('table', 'feed', el('thead', '', el('tr', '', head('feed-time', 'time', document.createTextNode('time')),
      head('feed-type', 'type', this.input('type', 'Type holds', 'type')), head('feed-subject', 'subject', this.input('subject', 'Subject holds', 'subject')),
      head('feed-stream', 'stream', this.selects.stream), head('feed-node', 'emitted by', this.selects.node))), this.body);
    this.table.setAttribute('role', 'grid');
    this.table.setAttribute('aria-labelledby', 'events-title');
    this.scroll = el('div', 'feed-scroll', this.table);
    for (const b of [this.pause, this.large]) b.type = 'button';
    byId('events-title').after(this.search, this.pause, this.large);
    parent.append(this.line, this.scroll);
    this.enlarge(false);
    /** @type {Map<string, HTMLTableRowElement>} */
    this.shown = new Map();
    this.scroll.addEventListener('scroll', () => requestAnimationFrame(() => this.draw()));
    new ResizeObserver(() => this.draw()).observe(this.scroll);
    this.body.addEventListener('click', (e) => {
      const on = /** @type {Element} */ (e.target);
      if (!on.closest('[data-opens]')) this.pick(on.closest('tr'));
    });
    this.body.addEventListener('keydown', (e) => this.key(e));
    document.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape' || e.defaultPrevented || !document.body.classList.contains('feeds') || document.querySelector(':popover-open, #inspect:not([hidden]), #cost:not([hidden])')) return;
      e.preventDefault();
      this.enlarge(false);
    });
    setInterval(() => this.ask(), 250);
  }

  /** @param {'type'|'subject'|'text'} k @param {string} label @param {string} hint */
  input(k, label, hint) {
    const i = el('input', `feed-${k}-filter`);
    i.placeholder = hint;
    attr(i, 'aria-label', label);
    let timer = 0;
    i.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.narrow({ [k]: i.value.trim() }), 200);
    });
    return i;
  }

  /** @param {'stream'|'node'} k */
  select(k) {
    const s = el('select', '');
    attr(s, 'aria-label', k === 'node' ? 'Emitted by' : 'Stream');
    s.addEventListener('change', () => this.narrow({ [k]: s.value }));
    return s;
  }

  /** @param {boolean} [on] without it, the other way */
  enlarge(on = !document.body.classList.contains('feeds')) {
    document.body.classList.toggle('feeds', on);
    text(this.large, on ? '✕' : '⤢');
    this.large.title = on ? 'Smaller again (Escape)' : 'More room';
    attr(this.large, 'aria-label', on ? 'Make the list of events smaller' : 'Give the list of events more room');
    attr(this.large, 'aria-pressed', String(on));
  }

  /** @param {Partial<Feed['filter']>} change */
  narrow(change) {
    Object.assign(this.filter, change);
    this.request?.abort();
    this.request = undefined;
    this.rows = new Rows();
    this.still = this.still === undefined ? undefined : this.top;
    this.newer = this.due = 0;
    this.failed = '';
    this.scroll.scrollTop = 0;
    this.refresh();
    this.ask();
  }

  /** Freezes the list, or lets it go on. @param {boolean} on */
  freeze(on) {
    this.still = on ? this.rows.newest : undefined;
    this.newer = 0;
    if (!on) this.scroll.scrollTop = 0;
    this.refresh();
  }

  /** @param {Event[]} events of a frame, oldest first @param {boolean} anew the server was started again: its numbers are others */
  add(events, anew) {
    const last = events[events.length - 1]?.seq ?? 0;
    if (anew || (last > 0 && last < this.heard)) {
      this.rows = new Rows();
      this.top = this.heard = 0;
      this.stale = true;
      if (this.still !== undefined) this.freeze(false);
    }
    if (last === 0) return;
    const news = events.filter((e) => e.seq > this.heard), most = this.still === undefined ? KEPT : KEPT * 2;
    this.newer += this.filter.text ? 0 : filtered(this.filter) ? news.filter((e) => passes(this.filter, e)).length : last - this.heard;
    this.heard = last;
    this.top = Math.max(this.top, last);
    if (!this.filter.text && (this.still === undefined || this.rows.events.length < most)) {
      for (let i = 0; i < events.length;) { // one span for each run of numbers
        let k = i;
        while (k + 1 < events.length && events[k + 1].seq === events[k].seq + 1) k++;
        this.rows.add(events.slice(i, k + 1).filter((e) => passes(this.filter, e)), events[i].seq, events[k].seq, most);
        i = k + 1;
      }
    }
    this.stale = true;
  }

  /** @param {World} w @param {string} chosen id of the event that is open */
  render(w, chosen) {
    this.w = w;
    if (chosen !== this.chosen) {
      this.chosen = chosen;
      this.draw();
    }
    const options = JSON.stringify([[...w.streams.keys()], [...w.nodes.values()].filter((n) => n.kind === 'service').map((n) => n.id)]);
    if (options !== this.options) {
      this.options = options;
      const [streams, nodes] = JSON.parse(options);
      for (const [k, any, all] of /** @type {['stream'|'node', string, string[]][]} */ ([['stream', 'stream', streams], ['node', 'emitter', nodes]])) {
        this.selects[k].replaceChildren(...['', ...all].map((v) => new Option(v || any, v, false, v === this.filter[k])));
      }
    }
    const now = performance.now();
    if (!this.stale || now - this.drawn < 100) return;
    this.drawn = now;
    this.stale = false;
    if (this.still === undefined) this.refresh();
    else this.head();
  }

  /** Takes what there is to show anew; a reader who has scrolled down keeps what is before the eyes. */
  refresh() {
    if (!this.w) { // nothing was drawn yet, as in a tab that is not looked at
      this.stale = true;
      return;
    }
    const at = Math.floor(this.scroll.scrollTop / ROW), anchor = at > 0 ? this.items[at] : undefined;
    this.items = this.rows.items(this.still);
    if (anchor) {
      const key = keyOf(anchor), i = this.items.findIndex((x) => keyOf(x) === key);
      if (i >= 0 && i !== at) {
        this.pad(0, this.items.length); // room to scroll to
        this.scroll.scrollTop += (i - at) * ROW;
      }
    }
    this.head();
    this.draw();
  }

  head() {
    const still = this.still !== undefined;
    text(this.pause, still ? `▶ Resume${this.newer > 0 ? ` · ${count(this.newer)} newer` : ''}` : '❚❚ Pause');
    this.pause.classList.toggle('due', still);
    text(this.line, this.failed || (still ? 'Paused: what is shown stays.' : ''));
    attr(this.table, 'aria-rowcount', String(this.items.length + 1));
    this.scroll.classList.toggle('empty', this.items.length === 0);
    this.scroll.dataset.say = filtered(this.filter) ? this.rows.whole ? 'No such event among those kept.' : 'Searching…' : 'No events yet.';
  }

  /** @param {number} above @param {number} below rows not in the document */
  pad(above, below) {
    for (const [tr, n] of /** @type {[HTMLElement, number][]} */ ([[this.before, above], [this.after, below]])) {
      tr.hidden = n === 0;
      /** @type {HTMLElement} */ (tr.firstChild).style.height = `${n * ROW}px`;
    }
  }

  /** Puts the rows in sight into the document. */
  draw() {
    const from = Math.max(0, Math.floor(this.scroll.scrollTop / ROW) - BESIDE), n = Math.ceil(this.scroll.clientHeight / ROW) + 2 * BESIDE;
    const some = this.items.slice(from, from + n), keys = some.map(keyOf);
    for (const [key, tr] of this.shown) {
      if (keys.includes(key)) continue;
      tr.remove();
      this.shown.delete(key);
    }
    const has = keys.includes(this.cursor);
    some.forEach((x, i) => {
      let tr = this.shown.get(keys[i]);
      if (!tr) {
        tr = 'gap' in x ? el('tr', 'gap', el('td')) : this.row(x);
        this.shown.set(keys[i], tr);
      }
      if ('gap' in x) {
        const td = /** @type {HTMLTableCellElement} */ (tr.firstChild);
        td.colSpan = 5;
        text(td, `… ${filtered(this.filter) ? 'up to ' : ''}${count(x.gap)} not shown${x.gone ? ': the server keeps them no more' : ''}`);
      }
      if (this.body.children[i + 1] !== tr) this.body.insertBefore(tr, this.body.children[i + 1]);
      tr.tabIndex = (has ? keys[i] === this.cursor : i === Math.min(BESIDE, from)) ? 0 : -1;
      attr(tr, 'aria-rowindex', String(from + i + 2));
      attr(tr, 'aria-selected', 'gap' in x ? null : String(this.chosen !== '' && (x.id || x.entry_id) === this.chosen));
    });
    this.pad(from, Math.max(0, this.items.length - from - some.length));
  }

  /** @param {Event} e */
  row(e) {
    const w = /** @type {World} */ (this.w), subject = `${e.subject}${e.version > 0 ? ` v${e.version}` : ''}`, way = wayTo(w, e.stream, e.subject);
    const { name, why, tone } = odd(e);
    const tr = el('tr', '', el('td', 'feed-time', clock(e.time)), el('td', `feed-type ${tone}`.trim(), el('i', `swatch shape-${shapeOf(e.type)} back-${colourOf(w, e.stream)}`),
      name, ...(why && !e.problem ? [el('span', 'hidden', `, ${why}`)] : [])), el('td', '', way ? opener(subject, way) : subject), el('td', '', e.stream), el('td', '', e.node || e.source || '?'));
    tr.title = `${e.type} of ${e.subject}, by ${e.source || e.node || 'somebody'}, on stream ${e.stream} as ${e.entry_id}${why ? `: ${why}` : ''}`;
    tr.dataset.event = String(e.seq);
    return tr;
  }

  /** @param {Element|null} tr */
  pick(tr) {
    const x = this.items.find((i) => this.shown.get(keyOf(i)) === tr);
    if (!x) return;
    this.cursor = keyOf(x);
    this.draw();
    if ('gap' in x) this.ask(x);
    else this.open(x);
  }

  /** @param {KeyboardEvent} e */
  key(e) {
    const tr = /** @type {HTMLElement} */ (e.target), page = Math.max(1, Math.floor(this.scroll.clientHeight / ROW) - 2);
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[e.key];
    if (e.key === 'Enter' || e.key === ' ') this.pick(tr);
    else if (by !== undefined) {
      const at = this.items.findIndex((x) => this.shown.get(keyOf(x)) === tr), to = Math.min(this.items.length - 1, Math.max(0, at + by));
      this.cursor = keyOf(this.items[to]);
      const head = /** @type {HTMLElement} */ (this.table.tHead).offsetHeight, y = to * ROW, { scrollTop, clientHeight } = this.scroll;
      if (y < scrollTop) this.scroll.scrollTop = y;
      else if (y + ROW > scrollTop + clientHeight - head) this.scroll.scrollTop = y + ROW - clientHeight + head;
      this.draw();
      this.shown.get(this.cursor)?.focus({ preventScroll: true });
    } else return;
    e.preventDefault();
  }

  /** What to ask the server for next: a gap in sight, what a filter finds, or older ones. @param {Gap} [wanted] by the reader
   *  @returns {{before: number, limit: number, gap?: Gap}|undefined} */
  next(wanted) {
    if (wanted) return wanted.gone ? undefined : { before: wanted.hi + 1, limit: PAGE, gap: wanted };
    if (this.scroll.clientHeight === 0 || document.hidden) return undefined;
    const first = Math.floor(this.scroll.scrollTop / ROW), last = first + Math.ceil(this.scroll.clientHeight / ROW);
    const fresh = this.rows.spans.length === 0;
    if (fresh && !this.rows.whole && this.heard > 0) return { before: 0, limit: PAGE }; // it was narrowed, or is so no more
    if (filtered(this.filter) && (fresh || (this.filter.text && this.still === undefined && this.top > this.rows.newest))) return { before: 0, limit: PAGE };
    if (this.still === undefined) {
      const missing = (/** @type {number} */ a, /** @type {number} */ b) => this.items.slice(a, b).flatMap((x) => ('gap' in x && !x.gone ? [x] : []));
      const late = missing(0, NEWEST), [gap] = late.reduce((n, x) => n + x.gap, 0) <= RUNS ? late : first > 0 ? missing(first, last) : [];
      if (gap) return { before: gap.hi + 1, limit: PAGE, gap };
    }
    if (!fresh && !this.rows.whole && this.items.length < KEPT && last + 40 > this.items.length) return { before: this.rows.oldest, limit: PAGE };
    return undefined;
  }

  /** @param {Gap} [wanted] */
  async ask(wanted) {
    const now = performance.now();
    if (this.request || now < this.due) return;
    const job = this.next(wanted);
    if (!job) return;
    if (job.before === 1) { // there is none before the first
      this.rows.whole = true;
      return;
    }
    this.due = now + PACE;
    const mine = new AbortController(), { rows, top } = this;
    this.request = mine;
    const late = setTimeout(() => mine.abort(new Error('no answer for 8 s')), 8000);
    const q = new URLSearchParams(Object.entries({ ...this.filter, before: job.before ? String(job.before) : '', limit: String(job.limit) }).filter(([, v]) => v !== ''));
    try {
      const events = list(object(json(await get(`/api/v1/events?${q}`, mine.signal)), 'answer'), 'events', 'answer', event);
      if (this.request !== mine || rows !== this.rows) return;
      const all = events.length < job.limit, hi = job.before ? job.before - 1 : Math.max(top, events[0]?.seq ?? 0);
      const least = all && filtered(this.filter) ? 1 : events[events.length - 1]?.seq ?? hi + 1;
      if (job.gap && all && least > job.gap.lo) rows.gone.add(job.gap.lo);
      this.top = Math.max(this.top, hi);
      rows.add(events.reverse(), least, hi, KEPT * 2);
      if (all) rows.whole = true;
      this.failed = '';
      this.refresh();
    } catch (e) {
      if (this.request !== mine) return;
      const why = mine.signal.aborted ? mine.signal.reason : e;
      this.failed = `More events cannot be had: ${why instanceof Error ? why.message : why}. Trying again.`;
      this.due = performance.now() + LATER;
      this.head();
    } finally {
      clearTimeout(late);
      if (this.request === mine) this.request = undefined;
    }
  }
}
