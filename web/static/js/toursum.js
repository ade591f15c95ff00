// @ts-check
// The walkthrough's last page: chapter by chapter the claim and what this person's run measured of it, to be read, copied or
// printed.

import { copiedWords, copyText } from './copying.js';
import { el } from './dom.js';
import { button } from './pieces.js';
import { farWords, OWN, played, scoreWords, sumText, totalWords, whenWords } from './sumparts.js';

/** @typedef {import('./sumparts.js').Played} Played */
/** @typedef {{say: import('./verbs.js').Say, go: (chapter: string, step?: string) => void, system?: () => string}} Hands system: its name */

export class Summary {
  /** @param {Pick<import('./tourkept.js').Kept, 'get'>} kept @param {import('./tourparts.js').Entry[]} chapters in their order @param {Hands} hands */
  constructor(kept, chapters, hands) {
    this.kept = kept;
    this.chapters = chapters;
    this.hands = hands;
    this.body = el('div', 'sum-body');
    this.copy = button('copy', 'Copy as text');
    this.print = button('print', 'Print');
    this.root = el('article', 'tour-sum', el('h2', 'sum-title', 'What your run measured'), this.body, el('p', 'sum-foot', this.copy, this.print));
    this.copy.addEventListener('click', () => this.copyAll());
    this.print.addEventListener('click', () => print());
    this.root.addEventListener('click', (e) => {
      const a = /** @type {HTMLElement|null} */ (/** @type {Element} */ (e.target).closest('a[data-chapter]'));
      if (!a || e.ctrlKey || e.metaKey || e.shiftKey) return;
      e.preventDefault();
      hands.go(a.dataset.chapter ?? '');
    });
    // The paper has this page alone, wherever it stands on the screen.
    addEventListener('beforeprint', () => {
      if (!this.root.isConnected || !this.root.checkVisibility()) return;
      const paper = /** @type {HTMLElement} */ (this.root.cloneNode(true));
      paper.classList.add('tour-paper');
      document.body.append(paper);
      addEventListener('afterprint', () => paper.remove(), { once: true });
    });
  }

  /** @returns {Played[]} */
  get all() {
    return played(this.chapters, this.kept.get().chapters);
  }

  /** Draws what is kept now. */
  render() {
    const all = this.all, some = all.filter((p) => p.done > 0), none = all.filter((p) => p.done === 0);
    this.copy.hidden = this.print.hidden = some.length === 0;
    this.body.replaceChildren(
      el('p', 'sum-total', `${totalWords(all)}.`),
      el('p', 'sum-own', some.length > 0 ? OWN : 'Nothing was measured yet: what a chapter tells at its end stands here then, with the numbers of your own run.'),
      ...some.map((p) => chapter(p)),
      ...(none.length > 0 ? [el('section', 'sum-rest', el('h3', '', some.length > 0 ? 'Not played yet' : 'To play'), el('ul', '', ...none.map((p) => el('li', '', link(p.id, p.title), el('span', 'sum-claim', p.claim), el('span', 'sum-when', `${p.minutes} min`)))))] : []),
    );
  }

  async copyAll() {
    this.hands.say(copiedWords(await copyText(sumText(this.all, this.hands.system?.() ?? ''), this.root, 'What your run measured, as text'), 'the summary'));
  }
}

/** @param {Played} p */
function chapter(p) {
  const far = farWords(p);
  return el('section', `sum-chapter${far ? '' : ' whole'}`, el('h3', '', p.title), el('p', 'sum-claim', p.claim),
    p.sums.length > 0 ? el('ul', 'sum-said', ...p.sums.map((s) => el('li', '', s))) : el('p', 'sum-none', 'It has told no numbers so far.'),
    el('p', 'sum-when', ...[whenWords(p), scoreWords(p)].filter((s) => s).flatMap((s, i) => (i > 0 ? [' · ', s] : [s])), ...(far ? [` · ${far}: `, link(p.id, 'go on')] : [])));
}

/** @param {string} id of a chapter @param {string} words */
function link(id, words) {
  const a = el('a', 'go', words);
  a.href = `/walkthrough/${encodeURIComponent(id)}`;
  a.dataset.chapter = id;
  return a;
}
