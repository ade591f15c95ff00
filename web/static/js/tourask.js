// @ts-check
// A step's question: which of these will still work? First as choices, then the answers that were given, then both beside what
// was measured.

import { el } from './dom.js';
import { STATES } from './matrix.js';
import { button } from './pieces.js';
import { explained, mark, rows } from './tourwords.js';

/** @typedef {import('./tourparts.js').Predict} Predict @typedef {import('./tourparts.js').Found} Found */
/** @typedef {Record<string, boolean>} Guess by cell: whether it will still work; {}: none was given */
/** @typedef {import('./tourwords.js').Names} Names */

/** @type {[boolean, string, string][]} */
const CHOICES = [[true, '✓', 'works'], [false, '✕', 'fails']];

/** The choices; "works" is that it answers, be it slowly or with old data. @param {Predict} p @param {Names} names @returns {HTMLFormElement} */
export function asking(p, names) {
  const { common, rows: all } = rows(p.cells, names);
  const list = el('div', 'tour-cells', ...all.map((r, i) => {
    const group = el('div', 'tour-choice', ...CHOICES.map(([value, symbol, word]) => {
      const input = el('input');
      Object.assign(input, { type: 'radio', name: `tour-cell-${i}`, value: String(value), required: true });
      const sign = el('b', '', symbol);
      sign.ariaHidden = 'true';
      return el('label', `for-${word}`, input, sign, ` ${word}`);
    }));
    group.setAttribute('role', 'radiogroup');
    group.setAttribute('aria-label', [r.name, r.of || common].filter(Boolean).join(', '));
    const row = el('div', 'tour-cell', label(r), group);
    row.dataset.cell = r.cell;
    return row;
  }));
  const give = button('answer', 'Give my answer');
  give.type = 'submit';
  give.classList.add('tour-main');
  const left = el('span', 'tour-left');
  const form = el('form', 'tour-ask', el('p', 'tour-question', p.ask || 'Which of these will still work?'), ...(common ? [el('p', 'tour-common', common)] : []), list,
    el('div', 'tour-acts', give, button('skip', 'Skip'), left));
  form.noValidate = true;
  const count = () => {
    const missing = all.length - Object.keys(guessed(form)).length;
    give.toggleAttribute('aria-disabled', false);
    if (missing > 0) give.setAttribute('aria-disabled', 'true');
    left.textContent = missing > 0 ? `${missing} to go` : '';
  };
  form.addEventListener('change', count);
  count();
  return form;
}

/** @param {{name: string, of: string}} r */
const label = (r) => el('span', 'tour-name', r.name, ...(r.of ? [el('small', '', r.of)] : []));

/** What is chosen so far. @param {HTMLFormElement} form @returns {Guess} */
export function guessed(form) {
  /** @type {Guess} */
  const g = {};
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll('[data-cell]'))) {
    const on = /** @type {HTMLInputElement|null} */ (row.querySelector('input:checked'));
    if (on) g[row.dataset.cell ?? ''] = on.value === 'true';
  }
  return g;
}

/** @param {boolean|undefined} g */
const answer = (g) => (g === undefined ? '· no answer' : g ? '✓ works' : '✕ fails');

/** The answers that were given; nothing where none was. @param {Predict} p @param {Guess} g @param {Names} names @returns {HTMLElement[]} */
export function given(p, g, names) {
  if (Object.keys(g).length === 0) return [el('p', 'tour-common', 'Without an answer.')];
  const { common, rows: all } = rows(p.cells, names);
  return [el('p', 'tour-common', `Your answer${common ? `, ${common}` : ''}:`), el('ul', 'tour-given', ...all.map((r) => {
    const say = el('span', 'tour-guess', answer(g[r.cell]));
    if (g[r.cell] !== undefined) say.dataset.works = String(g[r.cell]);
    return el('li', '', label(r), say);
  }))];
}

/** @type {Record<ReturnType<typeof mark>, string>} */
const MARKS = { right: '✓ right', wrong: '≠ not so', none: '' };

/** The answers beside what was measured; of those that were wrong, why. @param {Found[]} found @param {Guess} g @param {Names} names @returns {HTMLElement[]} */
export function marked(found, g, names) {
  if (found.length === 0) return [];
  const { common, rows: all } = rows(found.map((f) => f.cell), names), guessed = Object.keys(g).length > 0;
  const body = el('tbody', '', ...found.flatMap((f, i) => {
    const m = mark(g[f.cell], f), s = STATES[f.state];
    const th = el('th', '', label(all[i])), is = el('td', 'tour-is', f.state === 'untried' ? '· not measured' : `${s.symbol} ${s.word}`), sign = el('td', 'tour-mark', MARKS[m]);
    th.scope = 'row';
    is.dataset.state = f.state;
    const tr = el('tr', m, th, ...(guessed ? [el('td', 'tour-you', answer(g[f.cell]))] : []), is, ...(guessed ? [sign] : []));
    tr.dataset.cell = f.cell;
    if (m !== 'wrong') return [tr];
    const why = el('td', 'tour-why', explained(f));
    why.colSpan = 4;
    return [tr, el('tr', 'wrong', why)];
  }));
  const heads = ['', ...(guessed ? ['You said'] : []), 'Measured', ...(guessed ? [''] : [])];
  const table = el('table', 'tour-marks', ...(common ? [el('caption', '', common)] : []), el('thead', '', el('tr', '', ...heads.map((h) => {
    const c = el(h ? 'th' : 'td', '', h);
    if (c instanceof HTMLTableCellElement && h) c.scope = 'col';
    return c;
  }))), body);
  return [table];
}
