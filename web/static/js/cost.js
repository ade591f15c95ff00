// @ts-check
// What one request of a cell costs: its state and why, services and hops, the waterfall of a real one, and the same feature
// in all patterns to one scale.

import { detail } from './answers.js';
import { get } from './api.js';
import { attr, byId, el, text } from './dom.js';
import { STATES, below, why } from './matrix.js';
import { FrameError } from './parse.js';
import { millis, trouble } from './words.js';
import { bar, waterfall } from './waterfall.js';
import { cellKey } from './world.js';

/** @typedef {import('./messages.js').Cell} Cell */
/** @typedef {import('./world.js').World} World */

/** At most one question to the server in so many ms. */
const PACE = 1000;

/** @param {number} n @param {string} one */
const some = (n, one) => `${n} ${one}${n === 1 ? '' : 's'}`;

/** @param {import('./messages.js').Cost} c */
export const costLine = (c) => `${some(c.services, 'service')} · ${some(c.hops, 'hop')} · ${some(c.messages, 'message')} on the bus · depth ${c.depth}`;

export class CostPanel {
  /** @param {() => void} changed told when it was opened, closed or has news */
  constructor(changed) {
    this.changed = changed;
    this.root = byId('cost');
    this.title = byId('cost-title');
    this.close = /** @type {HTMLButtonElement} */ (byId('cost-close'));
    this.verdict = byId('cost-verdict');
    this.facts = byId('cost-facts');
    this.line = byId('cost-line');
    this.needs = byId('cost-needs');
    this.fall = byId('cost-fall');
    this.compare = byId('cost-compare');
    this.feature = '';
    this.pattern = '';
    /** @type {HTMLElement|undefined} */
    this.opener = undefined;
    /** @type {import('./answers.js').Detail|undefined} */
    this.detail = undefined;
    this.drawn = '';
    this.asked = { trace: '', at: -Infinity };
    this.failed = '';
    /** @type {AbortController|undefined} */
    this.request = undefined;
    this.close.addEventListener('click', () => this.hide());
    document.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape' || e.defaultPrevented || !this.feature || document.querySelector(':popover-open')) return;
      e.preventDefault(); // one Escape closes one thing
      this.hide();
    });
  }

  /** Key of the cell that is shown; '' for none. */
  get key() {
    return this.feature ? cellKey(this.feature, this.pattern) : '';
  }

  /** @param {string} feature @param {string} pattern @param {HTMLElement} opener gets the focus back */
  show(feature, pattern, opener) {
    if (this.feature === feature && this.pattern === pattern) return this.hide();
    Object.assign(this, { feature, pattern, opener, detail: undefined, drawn: '', failed: '', asked: { trace: '', at: -Infinity } });
    this.request?.abort();
    this.fall.replaceChildren(el('p', 'fall-foot', 'Looking for a request…'));
    this.needs.replaceChildren();
    this.root.hidden = false;
    document.body.classList.add('costs');
    this.changed();
    this.title.focus({ preventScroll: true });
    this.root.scrollIntoView({ block: 'nearest' });
  }

  hide() {
    if (!this.feature) return;
    this.request?.abort();
    this.feature = this.pattern = '';
    this.root.hidden = true;
    document.body.classList.remove('costs');
    this.opener?.focus();
    this.changed();
  }

  /** @param {World} w */
  render(w) {
    if (!this.feature) return;
    const feature = w.system.features.find((f) => f.id === this.feature), pattern = w.system.patterns.find((p) => p.id === this.pattern);
    if (!feature || !pattern) return this.hide();
    const c = w.cells.get(this.key);
    text(this.title, `${feature.name} · ${pattern.name}: ${c ? STATES[c.state].word : 'not tried'}`);
    this.root.dataset.state = c?.state ?? 'untried';
    this.say(w, c);
    this.rows(w);
    this.ask(c?.trace ?? '');
  }

  /** @param {World} w @param {Cell|undefined} c */
  say(w, c) {
    const reason = c ? why(c, w) : '';
    text(this.verdict, !c || c.state === 'works' || c.state === 'untried' ? '' : reason ? `because ${reason}` : c.last_error);
    text(this.facts, c && c.tries > 0 ? `${Math.round(c.success * 100)} % of ${c.tries} succeeded · p50 ${millis(c.p50_ms)} · p99 ${millis(c.p99_ms)}` : '');
    const cost = c?.cost ?? this.detail?.waterfall?.cost;
    text(this.line, cost ? costLine(cost) : '');
    const needs = (this.detail?.needs ?? []).map((id) => ({ id, n: w.nodes.get(id) }))
      .map(({ id, n }) => ({ id, bad: n ? trouble(n) : '' }));
    const key = JSON.stringify(needs);
    if (this.needs.dataset.key !== key) {
      this.needs.dataset.key = key;
      this.needs.replaceChildren(...(needs.length > 0 ? ['Needs ', ...needs.map((x) => {
        const s = el('span', `need${x.bad ? ' bad' : ''}`, x.bad ? `✕ ${x.bad}` : x.id);
        return s;
      })] : []));
    }
    const f = this.detail?.waterfall, drawn = this.failed || JSON.stringify(f ?? null);
    if ((!this.detail && !this.failed) || drawn === this.drawn) return;
    this.drawn = drawn;
    if (f) waterfall(this.fall, f, w);
    else this.fall.replaceChildren(el('p', 'fall-foot', this.failed || 'No request was seen whole yet. With traffic one will come.'));
  }

  /** The same feature in every pattern. @param {World} w */
  rows(w) {
    const cells = w.system.patterns.map((p) => ({ p, c: w.cells.get(cellKey(this.feature, p.id)) }));
    const most = Math.max(0.1, ...cells.map(({ c }) => (c && c.tries > 0 && c.state !== 'fails' ? c.p50_ms : 0)));
    const key = JSON.stringify(cells.map(({ p, c }) => [p.name, c?.state, c?.p50_ms, c?.because, p.id === this.pattern, most]));
    if (this.compare.dataset.key === key) return;
    this.compare.dataset.key = key;
    this.compare.replaceChildren(...cells.map(({ p, c }) => {
      const state = c?.state ?? 'untried', runs = c && state !== 'fails' && state !== 'untried';
      const track = el('span', 'fall-track');
      if (runs) {
        const b = el('span', 'compare-bar');
        b.style.width = `${bar(0, c.p50_ms, most).width}%`;
        track.append(b);
      } else {
        track.append(el('span', 'compare-none', c ? `${STATES[state].symbol} ${STATES[state].word}${state === 'fails' ? `: ${below(c, w.nodes.keys())}` : ''}` : 'not tried'));
      }
      const li = el('li', 'fall-row compare-row', el('span', 'fall-name', p.name), track, el('span', 'fall-time', runs ? millis(c.p50_ms) : ''));
      li.dataset.state = state;
      attr(li, 'aria-current', p.id === this.pattern ? 'true' : null);
      return li;
    }));
  }

  /** Asks for the request hop by hop: when opened, and when another one is the typical one. @param {string} trace */
  async ask(trace) {
    const now = performance.now();
    if (this.request || now - this.asked.at < PACE || (this.asked.trace === trace && this.asked.at > 0)) return;
    this.asked = { trace, at: now };
    const mine = new AbortController(), key = this.key;
    this.request = mine;
    try {
      const d = detail(await get(`/api/v1/features/${encodeURIComponent(this.feature)}/${encodeURIComponent(this.pattern)}`, mine.signal));
      if (key === this.key) Object.assign(this, { detail: d, failed: '' });
    } catch (e) {
      if (mine.signal.aborted) return;
      this.asked.trace = '\u0000'; // to be asked again
      this.failed = `${e instanceof FrameError ? 'The answer was not understood' : 'The request cannot be shown'}: ${e instanceof Error ? e.message : e}`;
    } finally {
      if (this.request === mine) this.request = undefined;
      if (!mine.signal.aborted) this.changed();
    }
  }
}
