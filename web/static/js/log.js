// @ts-check
// What a node writes: its newest lines, which come anew while this is unfolded and the page is seen. Lines are text, never
// markup. Who scrolled up stays there.

import { get } from './api.js';
import { el, text } from './dom.js';
import { FrameError } from './parse.js';
import { logReply } from './replies.js';
import { clock } from './words.js';

/** @typedef {import('./replies.js').LogLine} LogLine */

/** Asked again so many ms after an answer; an answer has to come within so many; so many lines are asked for. */
const PACE = 2000, WITHIN = 8000, LINES = 200;
/** So near its end the list follows, pixels. */
const END = 24;

/** @param {LogLine} a @param {LogLine} b */
const same = (a, b) => a.text === b.text && a.replica === b.replica && Object.is(a.at, b.at);

/** How many of the old lines are gone where the new ones go on from the others. Pure. @param {LogLine[]} old @param {LogLine[]} now */
export function gone(old, now) {
  for (let k = 0; k < old.length; k++) {
    if (old.length - k <= now.length && old.slice(k).every((l, i) => same(l, now[i]))) return k;
  }
  return old.length;
}

export class Log {
  constructor() {
    this.line = el('p', 'words', '');
    this.line.setAttribute('role', 'status');
    this.box = el('div', 'log');
    this.box.tabIndex = 0;
    this.box.setAttribute('role', 'group');
    this.root = el('details', 'folded log-part', el('summary', '', 'Log'), this.line, this.box);
    this.root.hidden = true;
    this.node = '';
    /** @type {LogLine[]} as they are shown */
    this.lines = [];
    /** @type {AbortController|undefined} of the question under way */
    this.request = undefined;
    this.due = 0;
    /** Its end is in view, and stays so. */
    this.follows = true;
    this.box.addEventListener('scroll', () => {
      this.follows = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight <= END;
    });
    new ResizeObserver(() => { // it may have been turned on its side
      if (this.follows) this.box.scrollTop = this.box.scrollHeight;
    }).observe(this.box);
    this.root.addEventListener('toggle', () => this.go());
    document.addEventListener('visibilitychange', () => this.go());
  }

  /** Shows the log of a node; '' for none. @param {string} node */
  of(node) {
    if (this.node === node) return;
    this.stop();
    this.node = node;
    this.lines = [];
    this.follows = true;
    this.box.replaceChildren();
    this.box.hidden = true;
    this.box.setAttribute('aria-label', `Log of ${node}`);
    text(this.line, 'Looking…');
    this.root.hidden = node === '';
    this.go();
  }

  stop() {
    clearTimeout(this.due);
    this.request?.abort();
    this.request = undefined;
  }

  /** Asks at once where it is seen, else asks no more. */
  go() {
    this.stop();
    if (this.node !== '' && this.root.open && !document.hidden) this.ask();
  }

  async ask() {
    const mine = new AbortController();
    this.request = mine;
    const late = setTimeout(() => mine.abort(new Error(`no answer for ${WITHIN / 1000} s`)), WITHIN);
    try {
      const { lines } = logReply(await get(`/api/v1/nodes/${encodeURIComponent(this.node)}/logs?lines=${LINES}`, mine.signal));
      if (this.request !== mine) return;
      this.show(lines);
      text(this.line, lines.length === 0 ? 'It has written nothing yet.' : '');
    } catch (x) {
      if (this.request !== mine) return; // it is seen no more, or another node's
      const why = mine.signal.aborted ? mine.signal.reason : x;
      text(this.line, `${this.lines.length > 0 ? 'The newest lines cannot be read' : 'It cannot be read'}: ${why instanceof FrameError ? 'the answer was not understood: ' : ''}${why instanceof Error ? why.message : why}`);
    } finally {
      clearTimeout(late);
      if (this.request === mine) {
        this.request = undefined;
        this.due = setTimeout(() => this.ask(), PACE);
      }
    }
  }

  /** @param {LogLine[]} now */
  show(now) {
    const { box } = this, k = gone(this.lines, now), kept = this.lines.length - k;
    box.hidden = now.length === 0;
    const { follows } = this, before = box.scrollHeight;
    for (let i = 0; i < k; i++) box.firstChild?.remove();
    if (!follows) box.scrollTop -= before - box.scrollHeight; // what is read stays where it is
    const several = now.some((l) => l.replica !== '');
    box.append(...now.slice(kept).map((l) => el('p', 'log-line', el('time', '', clock(l.at, true)), ...(several ? [el('b', '', l.replica)] : []), l.text)));
    this.lines = now;
    if (follows) box.scrollTop = box.scrollHeight;
  }
}
