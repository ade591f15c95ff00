// @ts-check
// The walkthrough's chapters as a list, what stands above a step, and the end of a chapter. All only show; buttons carry what they do in data-act.

import { el } from './dom.js';
import { button } from './pieces.js';
import { score } from './tourkept.js';
import { scored } from './tourwords.js';

/** @typedef {import('./tourparts.js').Tours} Tours @typedef {import('./tourparts.js').Chapter} Chapter @typedef {import('./tourkept.js').State} State */

/** The chapter to go to next: the one that is under way, else the first that is not finished. @param {Tours} t @param {State} s @returns {string} '' for none */
export const nextOf = (t, s) => t.chapters.find((c) => c.id === s.chapter && !s.chapters[c.id]?.finished)?.id ?? t.chapters.find((c) => !s.chapters[c.id]?.finished)?.id ?? '';

/** @param {Tours} t @param {State} s @returns {HTMLElement[]} */
export function listed(t, s) {
  const next = nextOf(t, s), minutes = t.chapters.reduce((sum, c) => sum + c.minutes, 0);
  return [
    el('p', 'tour-say', t.chapters.length === 0 ? `There is no walkthrough here${t.why ? `: ${t.why}` : '.'}`
      : `${t.chapters.length} chapters, about ${minutes} minutes in all, in any order. You predict, the lab is broken, and what still works is measured.`),
    ...(t.can || t.chapters.length === 0 ? [] : [el('p', 'tour-barred', `This dashboard only looks: steps that break something cannot be done here. ${t.why}`)]),
    el('ol', 'tour-list', ...t.chapters.map((c, i) => {
      const k = s.chapters[c.id], under = s.chapter === c.id && !k?.finished, points = scored(score(k));
      const go = button('enter', k?.finished ? 'Look back' : under ? 'Go on' : 'Begin', c.id);
      go.setAttribute('aria-label', `${go.textContent}: ${c.title}`);
      if (c.id === next) go.classList.add('tour-main');
      const step = under ? c.stepIds.indexOf(s.step) + 1 : 0;
      const li = el('li', k?.finished ? 'finished' : '', el('span', 'tour-no', k?.finished ? '✓' : String(i + 1)), el('div', '', el('h3', '', c.title), el('p', '', c.claim),
        el('p', 'tour-facts', [`${c.minutes} min`, under && step > 0 ? `at step ${step} of ${c.steps}` : `${c.steps} steps`, k?.finished ? 'done' : '', points].filter(Boolean).join(' · '))), go);
      li.dataset.chapter = c.id;
      return li;
    })),
  ];
}

/** What can be done beside the chapters. @param {boolean} begun something was played */
export const beside = (begun) => el('div', 'tour-acts tour-beside', button('summary', 'What you measured'), button('teach', 'Teach a class'), button('leave', 'Leave'),
  ...(begun ? [button('forget', 'Forget my progress')] : []));

/** The end of a chapter. @param {Chapter} c @param {Tours} t @param {State} s @returns {HTMLElement[]} */
export function ended(c, t, s) {
  const k = s.chapters[c.id], { right, asked } = score(k), i = t.chapters.findIndex((x) => x.id === c.id);
  const sums = c.steps.map((x) => k?.steps[x.id]?.done?.sum ?? '').filter(Boolean);
  const to = [...t.chapters.slice(i + 1), ...t.chapters.slice(0, Math.max(0, i))].find((x) => !s.chapters[x.id]?.finished);
  const next = to ? button('enter', 'Next chapter ›', to.id) : button('summary', 'What you measured ›');
  next.classList.add('tour-main');
  const title = el('h3', 'tour-title', 'That was it');
  title.tabIndex = -1;
  return [
    title, el('p', 'tour-claim', c.claim),
    ...(asked > 0 ? [el('p', 'tour-score', el('b', '', `${right} of ${asked}`), ` predicted as it was measured`)] : []),
    ...(sums.length > 0 ? [el('h4', '', 'What you measured'), el('ul', 'tour-sums', ...sums.map((x) => el('li', '', x)))] : []),
    ...(to ? [el('p', 'tour-common', `Next: ${to.title} (${to.minutes} min)`)] : []),
    el('div', 'tour-acts', next, button('list', 'All chapters'), button('begin', 'Play it again')),
  ];
}

/** What stands above a step. @param {Chapter} c @param {number} index of it @param {import('./tourkept.js').ChapterKept|undefined} k
 * @param {boolean} can whether the lab was made ready for it @param {boolean} own not a class's, which its presenter begins again @returns {HTMLElement[]} */
export function above(c, index, k, can, own) {
  const dots = el('span', 'tour-dots', ...c.steps.map((s, i) => el('i', i === index ? 'here' : k?.steps[s.id]?.done ? 'done' : '')));
  dots.ariaHidden = 'true';
  const did = k?.did && k.did.length > 0 ? `To begin: ${k.did.join('; ')}.` : 'The lab was ready already.';
  return [el('p', 'tour-chapter', c.title), el('p', 'tour-at', el('span', '', `Step ${index + 1} of ${c.steps.length}`), dots, ...(own ? [button('begin', 'Begin again')] : [])),
    ...(index === 0 ? [el('p', 'tour-claim', c.claim), ...(k?.did && can ? [el('p', 'tour-common', did)] : [])] : [])];
}
