// @ts-check
// Big type: what the back of a classroom needs, and no more. The style sheet does the work; the choice is kept.

import { attr } from './dom.js';

/** @param {HTMLElement} button that switches it */
export function big(button) {
  const { dataset } = document.documentElement;
  const show = () => attr(button, 'aria-pressed', String(dataset.big === 'on'));
  button.addEventListener('click', () => {
    if (dataset.big === 'on') delete dataset.big;
    else dataset.big = 'on';
    try {
      localStorage.setItem('stillup-big', dataset.big ?? '');
    } catch { /* storage is switched off: it holds until the page is left */ }
    show();
  });
  show();
}
