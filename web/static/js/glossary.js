// @ts-check
// The glossary: all terms in one window with a field that narrows them; and the terms within a text, as buttons that open it.

import { attr, el, text } from './dom.js';
import { count } from './words.js';

/** @typedef {{term: string, also: string[], say: string}} Term also: other forms of it that texts may use */
/** @typedef {(term: string) => void} Open */

/** What stands in square brackets is a term; brackets within brackets, or without an end, are text. */
const TERM = /\[([^[\]]+)\]/;

/** @param {string} s */
const plain = (s) => s.trim().toLowerCase();

/**
 * A text with its terms as buttons.
 * @param {string} words @param {Open} open @returns {Node[]} in its order
 */
export const termed = (words, open) => words.split(TERM).flatMap((s, i) => (s === '' ? [] : [i % 2 === 0 ? document.createTextNode(s) : termButton(s, open)]));

/** @param {string} term @param {Open} open */
function termButton(term, open) {
  const b = el('button', 'term', term);
  b.type = 'button';
  b.title = 'What this means';
  attr(b, 'aria-haspopup', 'dialog');
  b.addEventListener('click', () => open(term));
  return b;
}

/** A text without the brackets of its terms. @param {string} words */
export const unbracketed = (words) => words.replace(new RegExp(TERM, 'g'), '$1');

/** The term that a word is a form of. @param {Term[]} terms @param {string} word */
export const termOf = (terms, word) => terms.find((t) => [t.term, ...t.also].some((w) => plain(w) === plain(word)));

/** Terms that have all of these words, in themselves or in what is said of them; those in themselves first.
 * @param {Term[]} terms @param {string} words */
export function matching(terms, words) {
  const all = plain(words).split(/\s+/), has = (/** @type {string} */ s) => all.every((w) => plain(s).includes(w));
  const named = terms.filter((t) => has([t.term, ...t.also].join(' ')));
  return [...named, ...terms.filter((t) => !named.includes(t) && has([t.term, ...t.also, unbracketed(t.say)].join(' ')))];
}

export class Glossary {
  /** @param {Term[]} terms shown by the alphabet @param {import('./verbs.js').Say} say told where a term that is asked for is none */
  constructor(terms, say) {
    this.terms = [...terms].sort((a, b) => a.term.localeCompare(b.term, 'en'));
    this.say = say;
    this.asked = '';
    /** @type {HTMLElement|null} who has the focus again when it closes */
    this.opener = null;
    const close = el('button', 'sheet-close', '✕'), title = el('h2', '', 'Glossary');
    close.type = 'button';
    close.setAttribute('aria-label', 'Close the glossary');
    title.id = 'glossary-title';
    this.field = el('input', 'glossary-field');
    Object.assign(this.field, { type: 'search', placeholder: 'Find a term', autocomplete: 'off', spellcheck: false });
    this.field.setAttribute('aria-label', 'Find a term');
    this.found = el('span', 'glossary-found');
    this.found.setAttribute('role', 'status');
    this.list = el('dl', 'glossary-terms');
    const body = el('div', 'glossary-body', this.list);
    body.tabIndex = 0; // it scrolls
    attr(body, 'role', 'group');
    attr(body, 'aria-label', 'Terms');
    this.root = el('dialog', 'sheet glossary', el('header', '', title, close), el('div', 'glossary-find', this.field, this.found), body);
    this.root.setAttribute('aria-labelledby', title.id);
    document.body.append(this.root);
    close.addEventListener('click', () => this.root.close());
    this.field.addEventListener('input', () => this.narrow());
    this.root.addEventListener('click', (e) => { // on its backdrop
      if (e.target === this.root) this.root.close();
    });
    this.root.addEventListener('keydown', (e) => { // one Escape closes one thing; a search field takes the first for itself
      if (e.key !== 'Escape') return;
      e.preventDefault();
      e.stopPropagation();
      this.root.close();
    });
    this.root.addEventListener('close', () => {
      if (this.opener?.isConnected) this.opener.focus({ preventScroll: true });
      this.opener = null;
    });
  }

  /** Opens it at a term; within it, goes there. @param {string} [term] in any of its forms; '': at its beginning */
  open(term = '') {
    const t = termOf(this.terms, term);
    if (term && !t) this.say(`“${term}” is not in the glossary`, true);
    this.asked = t?.term ?? '';
    this.field.value = '';
    this.narrow();
    if (!this.root.open) {
      this.opener = /** @type {HTMLElement|null} */ (document.activeElement);
      this.root.showModal();
    }
    const at = /** @type {HTMLElement|null} */ (this.list.querySelector('[data-asked]'));
    if (!at) this.field.focus();
    at?.scrollIntoView({ block: 'center' });
    /** @type {HTMLElement|null|undefined} */ (at?.querySelector('dt'))?.focus({ preventScroll: true });
  }

  /** Lists what the field asks for. */
  narrow() {
    const some = matching(this.terms, this.field.value);
    text(this.found, this.field.value.trim() === '' ? `${count(this.terms.length)} terms` : some.length === 0 ? 'no such term' : `${count(some.length)} of ${count(this.terms.length)}`);
    this.list.replaceChildren(...some.map((t) => {
      const dt = el('dt', '', t.term), row = el('div', 'glossary-term', dt, el('dd', '', ...termed(t.say, (w) => this.open(w))));
      dt.tabIndex = -1;
      if (t.term === this.asked) {
        row.dataset.asked = '';
        dt.append(el('span', 'hidden', ' (asked for)'));
      }
      return row;
    }));
  }
}
