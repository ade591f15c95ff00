// @ts-check
// The same three pieces of work on each engine of this run: what each costs there, and which service chose which and why.

import { get, post } from './api.js';
import { reason, within } from './actions.js';
import { barred } from './doing.js';
import { el } from './dom.js';
import { compared, engines, runWords, verdict } from './engineparts.js';
import { become, button, folded, link, say, table } from './pieces.js';
import { clock, count, millis } from './words.js';

/** @typedef {import('./engineparts.js').Engines} Engines @typedef {import('./world.js').World} World */

/** Between two questions while a run is under way, and else, ms. */
const SOON = 400, LATER = 4000;
/** @type {Record<string, string>} */
const NAMES = { postgres: 'Postgres', mongodb: 'MongoDB', redis: 'Redis' };
/** @param {string} engine */
const called = (engine) => NAMES[engine] ?? engine;

export class EnginesView {
  /** @param {import('./data.js').Hands} hands */
  constructor(hands) {
    this.hands = hands;
    this.acts = false;
    /** @type {Engines|undefined} */
    this.all = undefined;
    this.failed = '';
    this.word = '';
    this.heard = NaN;
    this.timer = 0;
    this.asking = false;
    this.due = 0;
    this.part = el('div', '', el('div'));
    this.root = el('div', 'engines', this.part);
    this.root.addEventListener('click', (e) => {
      const b = /** @type {HTMLElement} */ (e.target).closest('[data-act="measure"]');
      if (b && b.getAttribute('aria-disabled') !== 'true') this.measure();
    });
  }

  show() {
    if (this.timer) return;
    this.due = 0;
    this.timer = setInterval(() => this.ask(), SOON);
    this.ask();
  }

  hide() {
    clearInterval(this.timer);
    this.timer = 0;
  }

  async measure() {
    this.word = '';
    try {
      this.all = engines(await within((s) => post('/api/v1/workloads', undefined, s)));
    } catch (e) {
      this.word = `✕ ${reason(e)}`;
    }
    this.due = 0;
    this.hands.changed();
    this.ask();
  }

  async ask() {
    if (this.asking || document.hidden || performance.now() < this.due) return;
    this.asking = true;
    try {
      this.all = engines(await within((s) => get('/api/v1/workloads', s)));
      this.heard = Date.now();
      this.failed = '';
    } catch (e) {
      this.failed = `${this.all ? `What is shown is from ${clock(this.heard)}` : 'It cannot be shown'}: ${reason(e)}.`;
    }
    this.asking = false;
    this.due = performance.now() + (this.all?.state === 'running' && !this.failed ? SOON / 2 : LATER);
    this.hands.changed();
  }

  /** @param {World} w */
  render(w) {
    const e = this.all;
    become(/** @type {ChildNode} */ (this.part.firstChild), el('div', '', ...(this.failed ? [el('p', 'notice warned', this.failed)] : []),
      ...(e ? [this.head(e, w), ...e.workloads.map((x) => this.workload(e, x)), this.choices(e)] : this.failed ? [] : [say('Looking…')])));
  }

  /** @param {Engines} e @param {World} w */
  head(e, w) {
    const running = e.state === 'running', b = button('measure', running ? 'Measuring…' : e.results.length > 0 ? 'Measure again' : 'Measure');
    b.classList.add('act-run');
    if (running) b.setAttribute('aria-disabled', 'true');
    const bar = el('div', 'bar', el('i', 'bar-fill'));
    /** @type {HTMLElement} */ (bar.firstChild).style.width = `${e.total > 0 ? Math.round((100 * e.done) / e.total) : 0}%`;
    bar.setAttribute('role', 'progressbar');
    bar.setAttribute('aria-label', 'measurements');
    bar.setAttribute('aria-valuenow', String(e.done));
    bar.setAttribute('aria-valuemax', String(e.total));
    return el('section', 'group', el('h3', '', 'Which store for what'),
      say(`The same three pieces of work on each engine of this run, through the drivers that the services use: ${e.workers} workers at once, ${e.seconds} s each, beside the traffic that runs now. Scratch data are made for it and removed.`),
      ...(barred(w) || !e.can ? [el('p', 'notice', barred(w) || `Not here: ${e.why}.`)] : [b]), ...(running ? [bar, say(runWords(e))] : []),
      ...(e.state === 'done' && !Number.isNaN(e.ended) ? [say(`Measured at ${clock(e.ended)}.`)] : []), ...(this.word ? [say(this.word, 'bad')] : []));
  }

  /** @param {Engines} e @param {{id: string, name: string, say: string}} x */
  workload(e, x) {
    const all = compared(e, x.id);
    return el('section', 'workload', el('h3', '', x.name), say(x.say), ...(all.length === 0 ? [] : [
      el('p', 'words strong', verdict(e, x.id, called)),
      el('div', 'engine-rows', el('div', 'engine-heads', el('span'), el('span', '', 'done in a second'), el('span', '', 'slowest of a hundred (p99)')), ...all.map((r) => {
        const did = el('i', `bar-of engine-${r.engine}`), wait = el('i', 'bar-of wait');
        did.style.width = `${Math.max(0.5, 70 * r.share)}%`;
        wait.style.width = `${Math.max(0.5, 60 * r.wait)}%`;
        const name = el('div', 'engine-name', el('b', '', called(r.engine)), el('span', 'kept-as', ` ${r.version || r.node}`));
        return el('div', `engine-row${r.best ? ' best' : ''}`, name, ...(r.why
          ? [el('p', 'warned not-measured', `not measured: ${r.why}`)]
          : [el('div', 'bar-cell', did, el('span', 'bar-says', `${count(r.per_second)}`)), el('div', 'bar-cell', wait, el('span', 'bar-says', millis(r.p99_ms)))]));
      })),
      folded('How each does it, and what that guarantees', ...table(`How each engine does: ${x.name}`, ['engine', 'how', 'what that guarantees', '#median', '#failed'],
        all.filter((r) => !r.why).map((r) => [called(r.engine), r.how, `${r.keeps} ${r.disk}`, millis(r.p50_ms), count(r.errors)]))),
    ]));
  }

  /** @param {Engines} e */
  choices(e) {
    const stand = [...new Set(e.results.filter((r) => r.embedded).map((r) => `${called(r.engine)} here is ${r.version}`))];
    return el('section', 'group choices', ...(stand.length > 0 ? [el('p', 'notice', `${stand.join('; ')}: it stands in for the real one, and its figures are its own.`)] : []),
      ...(e.choices.length > 0 ? [el('h3', '', 'Which service chose which, and why'), ...table('Which service chose which engine', ['service', 'engine', 'why'],
        e.choices.map((c) => [link('node', c.service), called(c.engine), c.why]))] : []));
  }
}
