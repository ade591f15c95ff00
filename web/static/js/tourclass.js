// @ts-check
// The presenter's side of a class: its link, who follows, what they guess. The class is known here by its id and key, which are
// kept: after a reload, or when the dashboard was started anew, the same class goes on under the same link.

import { reason } from './actions.js';
import { call, ownName, passes, Refusal } from './classcall.js';
import { ClassLive } from './classlive.js';
import { answerWords, followWords, isLocal, opened, spreadRows } from './classparts.js';
import { copiedWords, copyText } from './copying.js';
import { attr, el, Keyed, text } from './dom.js';
import { Newest } from './newest.js';
import { button } from './pieces.js';
import { keepTaught, taught } from './teaches.js';
import { rows } from './tourwords.js';

/** @typedef {{say: import('./verbs.js').Say, ended?: () => void, names?: () => import('./tourwords.js').Names}} Hands ended: the presenter has ended
 *   the class; names: of the system's features and patterns */
/** @typedef {{chapter: string, step: string}} Place */

/** Within this time a second press ends the class, ms. */
const SURE = 4000;

export class Presenter {
  /** Opens a class, or the one that is kept. @param {Hands} hands */
  constructor(hands) {
    this.hands = hands;
    /** @type {import('./classparts.js').Opened|undefined} once it is open */
    this.mine = undefined;
    /** @type {Place} */
    this.place = { chapter: '', step: '' };
    /** @type {ClassLive|undefined} */
    this.live = undefined;
    this.followers = this.sure = 0;
    this.over = false;
    this.newest = new Newest((/** @type {Place} */ p) => this.move(p), {
      passes, waits: (_, e) => this.say(`${reason(e)}. Trying again.`, 'warned'), refused: (_, e) => this.refused(e),
    });

    this.url = el('output', 'class-url');
    this.near = el('p', 'class-near');
    this.follow = el('b', 'class-follow');
    this.answered = el('span', 'class-answered');
    this.asked = el('p', 'class-asked');
    this.rows = el('ul', 'class-spread');
    attr(this.rows, 'aria-label', 'What was predicted');
    this.spread = new Keyed(this.rows, row);
    this.said = el('p', 'class-said');
    attr(this.said, 'role', 'status');
    const copy = button('copy-link', 'Copy'), large = button('large', 'Show it large');
    this.end = button('end', 'End the class');
    this.again = button('again', 'Open another class');
    /** The link takes much room, and is done with once all are there. */
    this.door = el('details', 'class-door', el('summary', '', 'Link for others'), this.url, this.near, el('p', 'class-acts', copy, large, this.end));
    this.door.open = true;
    this.open = el('div', 'class-open', this.door, this.asked, this.rows);
    this.root = el('section', 'class', el('div', 'class-head', el('h3', '', 'Your class'), el('p', 'class-count', this.follow, ' ', this.answered)), this.open, this.said, this.again);
    this.large = new Large();
    copy.addEventListener('click', async () => this.hands.say(copiedWords(await copyText(this.link, this.door, 'The link of the class'), 'the link')));
    large.addEventListener('click', () => this.large.show(this.link, this.follow.textContent ?? ''));
    this.end.addEventListener('click', () => this.finish());
    this.again.addEventListener('click', () => this.begin());
    queueMicrotask(() => { if (!this.newest.closed) this.begin(); }); // with the place that is told meanwhile
  }

  /** The whole address that others open. */
  get link() {
    return this.mine ? location.origin + this.mine.follow : '';
  }

  /** The class is at this step now; what is not sent yet is not sent any more. @param {string} chapter @param {string} step */
  at(chapter, step) {
    if (this.place.chapter === chapter && this.place.step === step) return;
    if (this.place.step !== '' && this.followers > 0) this.door.open = false;
    this.place = { chapter, step };
    if (!this.over) this.newest.put(this.place);
  }

  /** Stops listening; the class stays open, and the next presenter of this browser goes on with it. */
  close() {
    this.newest.close();
    this.live?.close();
    this.large.root.remove();
    this.root.remove();
  }

  begin() {
    this.over = false;
    this.mine = undefined;
    this.door.open = true;
    this.say(taught() ? 'Your class is opened again…' : 'A class is opened…');
    this.show();
    this.newest.put(this.place);
  }

  /** @param {Place} p */
  async move(p) {
    if (this.mine && this.live) {
      try {
        await call('PUT', path(this.mine.id), { key: this.mine.key, ...p });
        return this.say('');
      } catch (e) {
        if (!(e instanceof Refusal && e.status === 404)) throw e; // else the dashboard was started anew
      }
    }
    const old = taught() ?? this.mine, mine = opened(await call('POST', '/api/v1/class', { id: old?.id ?? '', key: old?.key ?? '', ...p }));
    if (this.over || this.newest.closed) return;
    const other = mine.id !== this.mine?.id || mine.key !== this.mine.key;
    this.mine = mine;
    keepTaught(mine);
    if (other) this.listen(mine);
    this.say('');
    this.show();
  }

  /** @param {import('./classparts.js').Opened} mine */
  listen(mine) {
    this.live?.close();
    this.live = new ClassLive(mine.id, { who: ownName(), key: mine.key }, {
      told: (t) => {
        if (t.ended) return this.ended('The class was ended.');
        this.tell(t);
      },
      lost: (why, status) => {
        if (status === 404 || status === 403) this.newest.put(this.place); // a dashboard that was started anew has it from us; or it is another's
        else this.say(`Not live now: ${why}. Trying again.`, 'warned');
      },
    });
  }

  /** @param {import('./classparts.js').Told} t */
  tell(t) {
    if (this.said.dataset.tone === 'warned') this.say('');
    const all = spreadRows(t.spread ?? []), none = { common: '', rows: [] };
    const named = all.length > 0 ? rows(all.map((r) => r.cell), this.hands.names?.() ?? { features: [], patterns: [] }) : none;
    this.followers = t.followers;
    text(this.follow, this.mine ? followWords(t.followers) : '');
    text(this.answered, all.length > 0 ? `· ${answerWords(t)}` : '');
    text(this.large.count, followWords(t.followers));
    this.rows.hidden = all.length === 0;
    text(this.asked, all.length > 0 ? `They predict${named.common ? `, ${named.common}` : ''}:` : '');
    all.forEach((r, i) => fill(this.spread.get(r.cell), r, [named.rows[i].name, named.rows[i].of].filter((s) => s).join(', ')));
    this.spread.sweep();
    this.rows.append(...all.flatMap((r) => this.spread.all.get(r.cell) ?? [])); // in the question's order
  }

  /** @param {unknown} e */
  refused(e) {
    if (e instanceof Refusal && e.status === 403) { // it is another's by now
      keepTaught(null);
      return this.ended(`This class is not yours any more: ${e.message}.`);
    }
    if (this.mine) this.say(`The class was not moved: ${reason(e)}.`, 'bad');
    else this.ended(`No class could be opened: ${reason(e)}.`, 'bad');
  }

  async finish() {
    if (performance.now() > this.sure) {
      this.sure = performance.now() + SURE;
      text(this.end, 'Press again to end it');
      setTimeout(() => text(this.end, 'End the class'), SURE);
      return;
    }
    this.sure = 0;
    if (this.mine) {
      try {
        await call('DELETE', path(this.mine.id), { key: this.mine.key });
      } catch (e) {
        if (!(e instanceof Refusal && e.status === 404)) return this.say(`The class was not ended: ${reason(e)}.`, 'bad');
      }
    }
    this.ended('The class has ended.');
    this.again.focus({ preventScroll: true });
    this.hands.ended?.();
  }

  /** @param {string} why @param {string} [tone] */
  ended(why, tone = '') {
    this.over = true;
    keepTaught(null);
    this.live?.close();
    this.live = this.mine = undefined;
    this.large.root.close();
    this.say(why, tone);
    this.show();
  }

  show() {
    if (this.url.textContent !== this.link) this.url.replaceChildren(...broken(this.link));
    text(this.near, isLocal(location.hostname) ? `“${location.hostname}” is this machine alone. For others open this page by the machine's name in the network, and teach from there.` : '');
    this.near.hidden = this.near.textContent === '';
    this.open.hidden = !this.mine;
    this.again.hidden = !this.over;
    if (!this.mine) this.tell({ chapter: '', step: '', followers: 0, answered: 0, ended: false, spread: null });
  }

  /** @param {string} s @param {string} [tone] */
  say(s, tone = '') {
    text(this.said, s);
    this.said.dataset.tone = tone;
  }
}

/** The link over the whole screen, for the back of a room. */
class Large {
  constructor() {
    const close = button('close', 'Close');
    this.url = el('p', 'class-large-url');
    this.count = el('p', 'class-large-count');
    this.root = el('dialog', 'class-large', el('p', 'class-large-how', 'Follow this class'), this.url, this.count, close);
    this.root.setAttribute('aria-label', 'The link of the class');
    close.addEventListener('click', () => this.root.close());
    document.body.append(this.root);
  }

  /** @param {string} link @param {string} count */
  show(link, count) {
    this.url.replaceChildren(...broken(link));
    text(this.count, count);
    if (!this.root.open) this.root.showModal();
  }
}

function row() {
  return el('li', 'spread', el('span', 'spread-cell'), el('span', 'spread-words'), el('span', 'spread-bar', el('i', 'spread-works'), el('i', 'spread-fails')));
}

/** A link whose lines break where its parts begin. @param {string} link */
const broken = (link) => link.split(/(?<=[^/])(?=\/[^/])/).flatMap((p) => [p, el('wbr')]);

/** @param {HTMLLIElement} li @param {ReturnType<typeof spreadRows>[number]} r @param {string} name */
function fill(li, r, name) {
  const [cell, said, bar] = /** @type {HTMLElement[]} */ ([...li.children]), [works, fails] = /** @type {HTMLElement[]} */ ([...bar.children]);
  text(cell, name);
  text(said, r.words);
  works.style.width = `${r.works}%`;
  fails.style.width = `${r.fails}%`;
  works.hidden = r.works === 0; // else the gap beside it is seen
  fails.hidden = r.fails === 0;
}

/** @param {string} id */
const path = (id) => `/api/v1/class/${encodeURIComponent(id)}`;
