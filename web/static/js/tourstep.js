// @ts-check
// One step as it is seen: what it says, its question, its deed, what it waits for, and what came of it. It holds what is known
// of the step and draws it; what is done is done by its hands.

import { el, text } from './dom.js';
import { button } from './pieces.js';
import { asking, given, guessed, marked } from './tourask.js';
import { bare } from './tourwords.js';

/** @typedef {import('./tourparts.js').Step} Part @typedef {import('./tourparts.js').Verdict} Verdict */
/** @typedef {import('./tourkept.js').StepKept} StepKept */
/**
 * What a step needs of its surroundings.
 * @typedef {object} Hands
 * @property {(words: string) => Node[]} termed a text, its terms as buttons
 * @property {() => import('./tourwords.js').Names} names
 * @property {(deeds: string[]) => string} orders deeds in words
 * @property {string} barred why nothing can be done from here; '' where it can
 * @property {boolean} follows the class's page: others act, and the class goes on by its presenter
 * @property {(g: import('./tourask.js').Guess) => void} answer
 * @property {(deed: string) => Promise<string[]>} act '' for the step's own; throws in words
 * @property {(to: 'next'|'back'|'data'|'cost') => void} go
 * @property {(words: string) => void} tell for those who do not see it
 */

function done() {
  const h = el('h4', 'tour-done', '✓ Done');
  h.tabIndex = -1;
  return h;
}

export class StepView {
  /** @param {Part} step @param {{index: number, of: number}} at from 0 @param {StepKept} kept @param {Hands} hands */
  constructor(step, at, kept, hands) {
    this.step = step;
    this.at = at;
    this.kept = kept;
    this.hands = hands;
    /** @type {Verdict|undefined} */
    this.verdict = undefined;
    this.failed = this.bad = '';
    /** The deed under way; undefined: none. @type {string|undefined} */
    this.doing = undefined;
    /** @type {string[]} */
    this.did = [];
    this.title = el('h3', 'tour-title', step.title);
    this.title.tabIndex = -1;
    this.part = Object.fromEntries(['ask', 'deed', 'seen', 'help', 'after', 'lost'].map((k) => [k, el('div', `tour-${k}`)]));
    this.foot = el('footer', 'tour-foot');
    const looks = [...(step.show.data ? [button('look-data', 'Show its data')] : []), ...(step.show.cost ? [button('look-cost', 'Show the request')] : [])];
    const { ask, deed, seen, help, after, lost } = this.part;
    this.root = el('article', 'tour-step', this.title, el('p', 'tour-say', ...hands.termed(step.say)), ...(looks.length > 0 ? [el('p', 'tour-looks', ...looks)] : []),
      ask, deed, seen, help, lost, after);
    /** What each part shows. @type {Map<Element, string>} */
    this.drawn = new Map();
    this.root.addEventListener('click', (e) => this.press(/** @type {Element} */ (e.target)));
    this.foot.addEventListener('click', (e) => this.press(/** @type {Element} */ (e.target)));
    this.root.addEventListener('submit', (e) => {
      e.preventDefault();
      this.answer(/** @type {HTMLFormElement} */ (e.target));
    });
    this.draw();
  }

  /** A question that waits for its answer, though the step be done. */
  get asks() {
    return this.step.predict !== null && !this.kept.guess && !this.told && !(this.hands.follows && this.verdict?.phase === 'done');
  }

  /** What was told of a step that is done. */
  get told() {
    return this.kept.done;
  }

  /** Whether there is nothing more to wait for. */
  get over() {
    return this.told !== undefined || (this.hands.barred !== '' && !this.hands.follows && !this.asks && this.step.do.length > 0);
  }

  /** @param {HTMLFormElement} form */
  answer(form) {
    const g = guessed(form), missing = (this.step.predict?.cells.length ?? 0) - Object.keys(g).length;
    if (missing > 0) {
      this.hands.tell(`${missing} of them have no answer yet`);
      /** @type {HTMLElement|undefined} */ ([...form.querySelectorAll('.tour-choice')].find((c) => !c.querySelector(':checked'))?.querySelector('input') ?? undefined)?.focus();
      return;
    }
    this.guess(g);
  }

  /** @param {import('./tourask.js').Guess} g */
  guess(g) {
    this.hands.answer(g);
    this.focus();
  }

  /** The focus goes to what comes next. */
  focus() {
    const to = /** @type {HTMLElement|null} */ (this.part.deed.querySelector('button') ?? this.foot.querySelector('.tour-main') ?? this.title);
    to?.focus({ preventScroll: true });
    to?.scrollIntoView({ block: 'nearest' });
  }

  /** @param {Element} on */
  press(on) {
    const b = /** @type {HTMLElement|null} */ (on.closest('[data-act]'));
    switch (b?.dataset.act) {
      case 'skip': return this.guess({});
      case 'do': case 'help': return void this.act(b);
      case 'next': case 'back': return this.hands.go(b.dataset.act);
      case 'look-data': return this.hands.go('data');
      case 'look-cost': return this.hands.go('cost');
    }
  }

  /** @param {HTMLElement} b */
  async act(b) {
    if (b.getAttribute('aria-disabled') === 'true') {
      if (this.asks) {
        this.hands.tell('Give your answer first');
        /** @type {HTMLElement|null} */ (this.root.querySelector('.tour-choice input'))?.focus();
      }
      return;
    }
    const deed = b.dataset.arg ?? '';
    Object.assign(this, { doing: deed, bad: '' });
    this.draw();
    try {
      this.did = await this.hands.act(deed);
      this.hands.tell(this.did.join('; '));
    } catch (e) {
      this.bad = `${this.hands.orders(deed ? [deed] : this.step.do)}: ${e instanceof Error ? e.message : e}`;
      this.hands.tell(this.bad);
    }
    this.doing = undefined;
    this.draw();
  }

  /** What is kept changed, here or in another tab. @param {StepKept} kept */
  keep(kept) {
    this.kept = kept;
    this.draw();
  }

  /** @param {Verdict} v */
  see(v) {
    const was = this.verdict?.phase ?? 'waiting', helped = (this.verdict?.help.length ?? 0) > 0;
    this.verdict = v;
    if (v.phase === 'settling' && was === 'waiting' && !this.asks) this.hands.tell('It is so. What still works is being measured.');
    if (v.phase === 'waiting' && v.help.length > 0 && !helped) this.hands.tell(v.help.map((h) => bare(h.text)).join('. '));
    this.draw();
  }

  /** @param {string} why nothing is heard of the step; '' it is again */
  lost(why) {
    if (this.failed === why) return;
    this.failed = why;
    if (why) this.hands.tell(why);
    this.draw();
  }

  /** Draws a part where it is another than before. @param {Element} part @param {unknown} key @param {() => (Node|string)[]} make */
  redo(part, key, make) {
    const k = JSON.stringify(key);
    if (this.drawn.get(part) === k) return;
    this.drawn.set(part, k);
    part.replaceChildren(...make());
  }

  draw() {
    const had = this.root.contains(document.activeElement);
    const { kept, step, told, verdict: v, part, hands } = this, guess = kept.guess ?? {}, names = hands.names(), p = step.predict;
    this.root.dataset.phase = told ? 'done' : v?.phase ?? 'waiting';
    this.redo(part.ask, p && [this.asks, told ? null : guess, names.features.length], () => (!p || told ? [] : this.asks ? [asking(p, names)] : given(p, guess, names)));
    this.deeds();
    this.seen();
    const help = !told && v?.phase === 'waiting' && !this.asks ? v.help : [];
    this.redo(part.help, [help, this.doing, hands.barred], () => (help.length === 0 ? [] : [el('h4', '', 'Not there yet'), ...help.map((h) => el('div', 'tour-helps', el('p', '', ...hands.termed(h.text)), ...this.helping(h.deed)))]));
    this.redo(part.lost, [this.failed, this.bad], () => [this.bad, told ? '' : this.failed].filter(Boolean).map((s) => el('p', 'tour-bad', s)));
    this.redo(part.after, [told, kept.guess], () => (told ? [
      ...(step.do.length > 0 || step.until.length > 0 ? [done()] : []),
      ...(told.after ? [el('p', 'tour-say', ...hands.termed(told.after))] : []), ...marked(told.cells, guess, names),
    ] : []));
    this.ends();
    // What had the focus may have gone: it goes on with what came in its place.
    if (had && !this.root.contains(document.activeElement)) /** @type {HTMLElement} */ (part.after.querySelector('.tour-done') ?? this.title).focus({ preventScroll: true });
  }

  /** A deed that helps. @param {string} deed */
  helping(deed) {
    if (!deed || this.hands.barred) return [];
    const b = button('help', this.hands.orders([deed]), deed);
    if (this.doing !== undefined) b.setAttribute('aria-disabled', 'true');
    return [b];
  }

  /** The step's own button. */
  deeds() {
    const { step, hands, part, verdict: v } = this, none = step.do.length === 0 || this.told !== undefined;
    const waits = this.asks, busy = this.doing === '', over = v !== undefined && v.phase !== 'waiting';
    this.redo(part.deed, [none, hands.barred, hands.follows], () => {
      if (none) return [];
      if (hands.follows) return [el('p', 'tour-common', `Who teaches does this: ${hands.orders(step.do)}.`)];
      if (hands.barred) return [el('p', 'tour-barred', `${this.hands.orders(step.do)}: that cannot be done here. ${hands.barred}`)];
      const b = button('do', this.hands.orders(step.do)), why = el('p', 'tour-common');
      why.id = 'tour-why';
      b.setAttribute('aria-describedby', why.id);
      return [b, why];
    });
    const b = part.deed.querySelector('button'), why = part.deed.querySelector('p');
    if (!b || !why) return;
    b.classList.toggle('tour-main', !waits && !over);
    if (waits || busy || over) b.setAttribute('aria-disabled', 'true');
    else b.removeAttribute('aria-disabled');
    text(why, waits ? 'Your answer first.' : busy ? 'It is being done …' : this.did.length > 0 ? `Done: ${this.did.join('; ')}.` : '');
  }

  /** What the step waits for. */
  seen() {
    const { verdict: v, part, told, step } = this;
    const all = told || this.asks ? [] : v?.conditions ?? step.until.map((s) => ({ text: s, holds: false, sees: '' }));
    this.redo(part.seen, [all, told ? '' : v?.phase, this.asks], () => {
      if (this.asks && v?.phase === 'done') return [el('p', 'tour-common', 'It is so already, and was measured: your answer first.')];
      if (all.length === 0) return [];
      const list = el('ul', 'tour-until', ...all.map((c) => {
        const sign = el('b', '', c.holds ? '✓' : '◌'), li = el('li', c.holds ? 'holds' : '', sign, el('span', '', c.text, ...(c.holds ? [] : [el('small', '', c.sees ? `now: ${c.sees}` : 'not yet')])));
        sign.setAttribute('aria-label', c.holds ? 'holds:' : 'not yet:');
        sign.setAttribute('role', 'img');
        return li;
      }));
      return [el('h4', '', v?.phase === 'settling' ? 'It is so' : 'Waits until'), list, ...(v?.phase === 'settling' ? [el('p', 'tour-measures', 'What still works is being measured …')] : [])];
    });
  }

  /** Back, and on. */
  ends() {
    const { at, hands } = this, last = at.index === at.of - 1;
    this.redo(this.foot, [this.over, this.asks, hands.follows], () => {
      if (hands.follows) return [];
      const back = button('back', '‹ Back'), next = button('next', last ? 'Finish' : 'Next ›');
      if (at.index === 0) back.hidden = true;
      next.classList.add('tour-main');
      return [back, ...(this.over ? [next] : this.asks ? [] : [el('span', 'tour-common', 'Goes on once this is so.')])];
    });
  }
}
