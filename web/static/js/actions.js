// @ts-check
// What the system can be made to do, how far it is, and the asking for it. While it is watched the list is asked for anew;
// what could not be heard is said with the time of what is known.

import { get, post } from './api.js';
import { acted, actions } from './dataparts.js';
import { FrameError } from './parse.js';
import { clock, millis } from './words.js';

/** @typedef {import('./dataparts.js').Action} Action */
/** @typedef {{words: string, bad: boolean}} Word */

/** Between two questions while a job runs, and else; an answer has to come by then; so has that of an action, ms. */
const SOON = 500, LATER = 3000, WITHIN = 8000, DONE = 30000;

/** What is known of an action that was asked for and is not answered. */
export const UNKNOWN = '; whether it was done is not known';

/** @param {unknown} e */
export const reason = (e) => `${e instanceof FrameError ? 'the answer was not understood: ' : ''}${e instanceof Error ? e.message : e}`;

/** Asks, and gives up after a time. @template T @param {(signal: AbortSignal) => Promise<T>} f @param {number} [ms]
 *  @param {string} [known] what is known then @returns {Promise<T>} */
export async function within(f, ms = WITHIN, known = '') {
  const c = new AbortController(), late = setTimeout(() => c.abort(new Error(`no answer for ${ms / 1000} s${known}`)), ms);
  try {
    return await f(c.signal);
  } catch (e) {
    throw c.signal.aborted ? c.signal.reason : e;
  } finally {
    clearTimeout(late);
  }
}

export class Actions {
  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {Action[]|undefined} once they are known */
    this.all = undefined;
    this.heard = NaN;
    this.failed = '';
    /** What came of an action that was asked for, by id. @type {Map<string, Word>} */
    this.said = new Map();
    /** @type {Set<string>} under way */
    this.busy = new Set();
    this.asking = false;
    this.due = 0;
    this.timer = 0;
  }

  /** @param {boolean} on */
  watch(on) {
    clearInterval(this.timer);
    this.timer = 0;
    if (!on) return;
    this.due = 0;
    this.timer = setInterval(() => this.ask(), SOON / 2);
    this.ask();
  }

  /** @param {string} group @returns {Action[]} */
  of(group) {
    return (this.all ?? []).filter((a) => a.group === group);
  }

  async ask() {
    if (this.asking || performance.now() < this.due || document.hidden) return;
    this.asking = true;
    try {
      this.all = actions(await within((s) => get('/api/v1/actions', s)));
      this.heard = Date.now();
      this.failed = '';
    } catch (e) {
      this.failed = `${this.all ? `What is shown is from ${clock(this.heard)}` : 'What can be done is not known'}: ${reason(e)}.`;
    }
    this.asking = false;
    this.due = performance.now() + (this.all?.some((a) => a.progress?.state === 'running') && !this.failed ? SOON : LATER);
    this.changed();
  }

  /** @param {string} id @param {{id?: string, values?: Record<string, string|number>}} [body] */
  async run(id, body = {}) {
    const a = this.all?.find((x) => x.id === id);
    if (!a || this.busy.has(id)) return;
    this.busy.add(id);
    this.said.delete(id);
    this.changed();
    try {
      const r = acted(await within((s) => post(`/api/v1/actions/${encodeURIComponent(id)}`, body, s), DONE, UNKNOWN));
      this.said.set(id, { words: a.job || a.joins.length > 0 ? '' : `✓ ${a.node} did it: answered ${r.status} in ${millis(r.took_ms)}`, bad: false });
    } catch (e) {
      this.said.set(id, { words: `✕ ${reason(e)}`, bad: true });
    }
    this.busy.delete(id);
    this.due = 0;
    this.changed();
    this.ask();
  }
}
