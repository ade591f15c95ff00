// @ts-check
// The walkthrough's panel: which of its pages is shown, as the address says, and the way from one step to the next.

import { post } from './api.js';
import { reason, UNKNOWN, within } from './actions.js';
import { attr, byId, el, text } from './dom.js';
import { Later, styled } from './later.js';
import { button } from './pieces.js';
import { Kept } from './tourkept.js';
import { Heard } from './heard.js';
import { taught } from './teaches.js';
import { Beside } from './tourbeside.js';
import { above, beside, ended, listed } from './tourlist.js';
import { did, stepPath, verdict } from './tourparts.js';
import { Reading } from './tourread.js';
import { lit, mark } from './tourshow.js';
import { StepView } from './tourstep.js';
import { bare } from './tourwords.js';

/** @typedef {import('./world.js').World} World @typedef {import('./tourparts.js').Chapter} Chapter @typedef {import('./tourparts.js').Verdict} Verdict */
/**
 * What the page gives it. @typedef {object} Page
 * @property {import('./verbs.js').Say} say
 * @property {() => World} world
 * @property {() => void} changed the page is to be drawn
 * @property {import('./picker.js').Picker} picker
 * @property {Later<import('./data.js').DataPanel>} data
 * @property {Later<import('./cost.js').CostPanel>} cost
 */

/** Between two questions that went unanswered; to make the lab ready takes at most so long; a deed so long, ms. */
const FIRST = 1000, MOST = 8000, READY = 90_000, DEED = 30_000;
/** There is room to open something beside the panel. */
const WIDE = '(min-width: 1000px)';

export class Tour {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.root = byId('tour');
    this.body = byId('tour-body');
    this.head = byId('tour-title');
    this.class = byId('tour-class');
    this.opens = byId('open-tour');
    this.live = byId('tour-said');
    /** The class that is followed; '' for none. */
    this.follows = this.route().class;
    this.kept = new Kept(page.world().system.name, this.follows);
    this.reading = new Reading(page.say);
    this.beside = new Beside(page);
    /** @type {Chapter|undefined} the one that is open */
    this.chapter = undefined;
    /** @type {StepView|undefined} */
    this.view = undefined;
    /** @type {Heard<Verdict>|undefined} */
    this.stream = undefined;
    /** Where the panel is: every way to another place counts one on, and what comes later of an earlier one is dropped. */
    this.turn = 0;
    /** Told of every answer that is given. @type {((guess: import('./tourask.js').Guess) => void)|undefined} */
    this.guessed = undefined;
    this.path_ = '';
    this.summary = new Later('what you measured', async () => {
      const { Summary } = await styled(import('./toursum.js'), 'class');
      return new Summary(this.kept, (await this.reading.all()).chapters, { say: page.say, system: () => page.world().system.name, go: (id) => this.go(`/walkthrough/${encodeURIComponent(id)}`) });
    }, page.say);
    this.teaching = new Later('the class', async () => {
      const { Presenter } = await styled(import('./tourclass.js'), 'class');
      return new Presenter({ say: page.say, names: () => page.world().system });
    }, page.say);
    this.following = new Later('the class', async () => {
      const { Follower } = await styled(import('./follow.js'), 'class');
      return new Follower(this.follows, { say: page.say, go: (id, step) => void this.goWith(id, step), guess: (f) => { this.guessed = f; } });
    }, page.say);
    byId('tour-list').addEventListener('click', () => this.go('/walkthrough'));
    byId('tour-close').addEventListener('click', () => this.close());
    for (const id of ['tour-list', 'tour-close']) byId(id).hidden = this.follows !== '';
    this.body.addEventListener('click', (e) => this.press(/** @type {Element} */ (e.target)));
    this.kept.onChange(() => this.moved());
  }

  /** What the address asks for. @returns {{on: boolean, id: string, class: string}} */
  route() {
    const [, kind, id = ''] = /^\/(walkthrough|follow)(?:\/([^/]+))?\/?$/.exec(location.pathname) ?? [];
    return { on: kind !== undefined, id: kind === 'walkthrough' ? decodeURIComponent(id) : '', class: kind === 'follow' ? decodeURIComponent(id) : '' };
  }

  /** By the reader's hand: opens where they were, or shuts. */
  toggle() {
    if (!this.root.hidden) return this.close();
    const { chapter: id, step } = this.kept.get();
    this.go(id && step ? `/walkthrough/${encodeURIComponent(id)}` : '/walkthrough');
  }

  close() {
    if (this.follows) return;
    this.go('/');
    this.opens.focus({ preventScroll: true });
  }

  /** @param {string} path */
  go(path) {
    if (location.pathname !== path) history.pushState(null, '', path + location.hash);
    this.follow(true);
  }

  /** Shows what the address says. @param {boolean} [anew] also where it is that already */
  follow(anew = false) {
    if (this.path_ === location.pathname && !anew) return;
    this.path_ = location.pathname;
    const r = this.route(), shown = r.on;
    this.leaveStep();
    this.turn++;
    this.root.hidden = !shown;
    document.body.classList.toggle('tours', shown);
    attr(this.opens, 'aria-expanded', String(shown));
    this.chapter = undefined;
    if (!shown) {
      this.page.picker.choose('');
      mark([], []);
    } else if (r.class) this.following.use((f) => this.aside(f.root));
    else if (r.id === 'summary') this.sums();
    else if (r.id) this.enter(r.id);
    else this.list();
    if (shown && !this.follows && taught()) this.teach();
    this.page.changed();
  }

  /** @param {...(Node|string)} what */
  show(...what) {
    this.body.replaceChildren(...what);
    this.body.scrollTop = 0;
  }

  /** Asks until it is answered, and says meanwhile that it is not. @template T @param {string} what @param {() => Promise<T>} ask
   * @returns {Promise<T|undefined>} undefined: the reader went elsewhere */
  async until(what, ask) {
    const mine = this.turn;
    for (let wait = FIRST; ; wait = Math.min(MOST, wait * 2)) {
      try {
        const got = await ask();
        return mine === this.turn ? got : undefined;
      } catch (e) {
        if (mine !== this.turn) return undefined;
        this.body.replaceChildren(el('p', 'tour-bad', `${what}: ${reason(e)}. It is tried again.`), button('again', 'Try again'));
        await new Promise((done) => { setTimeout(done, wait); });
        if (mine !== this.turn) return undefined;
      }
    }
  }

  async list() {
    this.show(el('p', 'tour-common', 'Looking…'));
    const t = await this.until('The chapters cannot be had', () => this.reading.all());
    if (!t) return;
    this.drawList();
    this.head.focus({ preventScroll: true });
  }

  drawList() {
    const { tours } = this.reading;
    if (!tours) return;
    const s = this.kept.get();
    this.body.replaceChildren(...listed(tours, s), beside(Object.keys(s.chapters).length > 0));
  }

  async sums() {
    this.show(el('p', 'tour-common', 'Looking…'));
    const mine = this.turn;
    if (!await this.until('The chapters cannot be had', () => this.reading.all())) return;
    this.summary.use((s) => {
      if (mine !== this.turn) return;
      s.render();
      this.show(s.root);
      this.head.focus({ preventScroll: true });
    });
  }

  /** A chapter, at the step where the reader was. @param {string} id */
  async enter(id) {
    this.show(el('p', 'tour-common', 'Looking…'));
    const got = await this.until('This chapter cannot be had', () => this.reading.chapter(id));
    if (!got) return;
    this.chapter = got;
    const s = this.kept.get(), k = s.chapters[id], at = got.steps.findIndex((x) => x.id === s.step), first = k?.steps[got.steps[0].id];
    if (k?.finished && s.chapter !== id) this.end();
    else if (k && s.chapter === id && (at > 0 || (at === 0 && (first?.guess || first?.done)))) this.at(s.step);
    else this.begin();
  }

  /** The lab is put into the chapter's first state. */
  async begin() {
    const c = this.chapter, mine = ++this.turn;
    if (!c) return;
    this.leaveStep();
    /** @type {string[]} */
    let done = [];
    if (this.reading.tours?.can) {
      this.show(el('p', 'tour-chapter', c.title), el('p', 'tour-claim', c.claim), el('p', 'tour-measures', 'Getting the lab ready …'));
      this.tell('Getting the lab ready');
      this.head.focus({ preventScroll: true });
      try {
        done = did(await within((s) => post(`/api/v1/walkthrough/${encodeURIComponent(c.id)}/begin`, undefined, s), READY));
      } catch (e) {
        if (mine !== this.turn) return;
        const again = button('begin', 'Try again');
        again.classList.add('tour-main');
        this.show(el('p', 'tour-chapter', c.title), el('p', 'tour-claim', c.claim), el('p', 'tour-bad', `The lab is not ready: ${reason(e)}.`), again);
        this.tell(`The lab is not ready: ${reason(e)}`);
        again.focus();
        return;
      }
    }
    if (mine !== this.turn) return;
    this.kept.begin(c.id, c.steps[0].id, done);
    this.at(c.steps[0].id);
  }

  leaveStep() {
    this.stream?.close();
    this.stream = this.view = undefined;
    this.beside.close();
  }

  /** @param {string} id of a step @param {boolean} [focus] */
  at(id, focus = true) {
    const c = this.chapter;
    if (!c) return;
    const index = Math.max(0, c.steps.findIndex((s) => s.id === id)), step = c.steps[index];
    this.leaveStep();
    this.turn++;
    const view = this.view = new StepView(step, { index, of: c.steps.length }, this.kept.of(c.id, step.id), this.hands(c, step));
    this.kept.at(c.id, step.id);
    this.show(...above(c, index, this.kept.get().chapters[c.id], this.reading.tours?.can === true, this.follows === ''), view.root, view.foot);
    this.page.picker.choose(step.show.pattern);
    if (matchMedia(WIDE).matches) this.look(step.show, false);
    if (!view.told || this.follows) this.listen(c, step, view);
    if (focus) view.title.focus({ preventScroll: true });
    this.teaching.part?.at(c.id, step.id);
    this.page.changed();
  }

  /** @param {Chapter} c @param {import('./tourparts.js').Step} step @param {StepView} view */
  listen(c, step, view) {
    if (view.over && !this.follows) return;
    const mine = this.stream = new Heard(`${stepPath(c.id, step.id)}/live`, verdict, {
      lost: (why) => view.lost(`Nothing is heard of this step: ${why}. It is tried again.`),
      back: () => view.lost(''),
      told: (v) => {
        if (mine !== this.stream || v.step !== step.id) return;
        if (view.told && v.phase !== 'done') return this.again(c.id, step.id); // who teaches began it again
        view.see(v);
        if (v.phase === 'done' && !view.asks) this.done(c, step, view);
      },
    });
  }

  /** @param {string} id of a chapter @param {string} step that stands again as if it had never been done */
  again(id, step) {
    this.kept.put((s) => { delete s.chapters[id]?.steps[step]; });
    this.at(step, false);
  }

  /** It is done, and was answered for: it is told, and kept. @param {Chapter} c @param {import('./tourparts.js').Step} step @param {StepView} view */
  done(c, step, view) {
    const v = view.verdict;
    if (!v || view.told) return;
    this.stream?.close();
    this.stream = undefined;
    this.kept.add(c.id, step.id, { done: { after: v.after, sum: v.sum, cells: v.cells, at: v.at } });
    if (step.until.length > 0) this.tell(`Done. ${bare(v.after)}`);
  }

  /** @param {Chapter} c @param {import('./tourparts.js').Step} step @returns {import('./tourstep.js').Hands} */
  hands(c, step) {
    return {
      termed: (words) => this.reading.termed(words),
      names: () => this.page.world().system,
      orders: (deeds) => this.reading.orders(deeds),
      barred: this.reading.tours?.can ? '' : this.reading.tours?.why || 'This dashboard only looks.',
      follows: this.follows !== '',
      tell: (words) => this.tell(words),
      answer: (guess) => {
        this.kept.add(c.id, step.id, { guess });
        this.guessed?.(guess);
        const view = this.view;
        if (view?.verdict?.phase === 'done') this.done(c, step, view);
      },
      act: async (deed) => did(await within((s) => post(`${stepPath(c.id, step.id)}/do`, deed ? { deed } : undefined, s), DEED, UNKNOWN)),
      go: (to) => {
        if (to === 'data' || to === 'cost') return this.look({ data: '', cost: '', [to]: step.show[to] }, true);
        const next = c.steps[c.steps.indexOf(step) + (to === 'next' ? 1 : -1)];
        if (next) return this.at(next.id);
        this.kept.finish(c.id);
        this.end();
      },
    };
  }

  /** Opens beside it what a step asks for. @param {{data: string, cost: string}} show @param {boolean} asked by the reader */
  look(show, asked) {
    const mine = this.turn;
    this.beside.open(show, () => mine === this.turn, asked);
  }

  /** A chapter's end. */
  end() {
    const { tours } = this.reading;
    if (!this.chapter || !tours) return;
    this.leaveStep();
    this.turn++;
    this.page.picker.choose('');
    this.show(el('p', 'tour-chapter', this.chapter.title), ...ended(this.chapter, tours, this.kept.get()));
    /** @type {HTMLElement|null} */ (this.body.querySelector('.tour-title'))?.focus({ preventScroll: true });
    this.page.changed();
  }

  /** What is kept changed: of this tab's doing, or another one's. */
  moved() {
    const s = this.kept.get(), c = this.chapter, view = this.view;
    if (this.root.hidden || this.follows) {
      if (c && view) view.keep(this.kept.of(c.id, view.step.id));
      return;
    }
    if (!c && this.route().id === '' && this.body.querySelector('.tour-list')) return this.drawList();
    if (!c || !view) return;
    if (s.chapter === c.id && s.step !== view.step.id && c.steps.some((x) => x.id === s.step)) return this.at(s.step, false);
    if (s.chapter === '' && s.chapters[c.id]?.finished) return this.end();
    if (s.chapter !== '' && s.chapter !== c.id) {
      history.replaceState(null, '', `/walkthrough/${encodeURIComponent(s.chapter)}${location.hash}`);
      return this.follow(true);
    }
    const k = this.kept.of(c.id, view.step.id);
    if (view.told && !k.done) return this.at(view.step.id, false); // it begins again
    view.keep(k);
  }

  /** @param {Element} on */
  press(on) {
    const b = /** @type {HTMLElement|null} */ (on.closest('[data-act]'));
    switch (b?.dataset.act) {
      case 'enter': return this.go(`/walkthrough/${encodeURIComponent(b.dataset.arg ?? '')}`);
      case 'list': return this.go('/walkthrough');
      case 'summary': return this.go('/walkthrough/summary');
      case 'begin': return void this.begin();
      case 'again': return this.follow(true);
      case 'teach': return this.teach();
      case 'leave': return void this.leave(b);
      case 'forget':
        this.kept.put((s) => Object.assign(s, { chapter: '', step: '', chapters: {} }));
        this.head.focus({ preventScroll: true });
    }
  }

  /** The lab is left clean. @param {HTMLElement} b */
  async leave(b) {
    if (b.getAttribute('aria-disabled') === 'true') return;
    attr(b, 'aria-disabled', 'true');
    text(b, 'Leaving …');
    try {
      const done = did(await within((s) => post('/api/v1/walkthrough/leave', undefined, s), READY));
      this.kept.put((s) => Object.assign(s, { chapter: '', step: '' }));
      this.page.say(done.length > 0 ? `The lab is left clean: ${done.join('; ')}` : 'The lab was clean already');
      this.close();
    } catch (e) {
      this.page.say(`leave: ${reason(e)}`, true);
    } finally {
      attr(b, 'aria-disabled', null);
      text(b, 'Leave');
    }
  }

  /** A class: what is told of it stands above the pages. @param {HTMLElement} part */
  aside(part) {
    if (part.parentElement !== this.class) this.class.replaceChildren(part);
  }

  teach() {
    this.teaching.use((p) => {
      this.aside(p.root);
      this.class.scrollTop = 0;
      if (this.chapter && this.view) p.at(this.chapter.id, this.view.step.id);
    });
  }

  /** @param {string} id @param {string} step */
  async goWith(id, step) {
    if (!id) {
      this.leaveStep();
      this.turn++;
      this.chapter = undefined;
      this.show();
      return;
    }
    if (this.chapter?.id !== id) {
      this.turn++;
      this.chapter = await this.until('This chapter cannot be had', () => this.reading.chapter(id));
    }
    if (this.chapter) this.at(step, false);
  }

  /** @param {string} words for those who do not see it */
  tell(words) {
    text(this.live, words);
  }

  /** What of the map is lit. @param {World} w */
  path(w) {
    return this.view ? lit(w, this.view.step.show) : undefined;
  }

  /** @param {World} _w */
  render(_w) {
    const v = this.view;
    mark(v?.step.show.cells ?? [], v?.asks ? v.step.predict?.cells ?? [] : []);
  }
}
