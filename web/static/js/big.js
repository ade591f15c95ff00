// @ts-check
// Big type: what the back of a classroom needs, and no more. The style sheet does the work and comes when it is wanted; the
// choice is kept.

import { attr } from './dom.js';
import { sheet } from './later.js';

/**
 * @param {HTMLElement} button that switches it
 * @param {import('./verbs.js').Say} say
 * @returns {Promise<void>} once the page has the type that was kept
 */
export async function big(button, say) {
  const { dataset } = document.documentElement;
  /** @param {boolean} on */
  const turn = async (on) => {
    try {
      if (on) await sheet('big');
      if (on) dataset.big = 'on';
      else delete dataset.big;
    } catch (e) {
      delete dataset.big;
      say(`big type cannot be loaded: ${e instanceof Error ? e.message : e}`, true);
    }
    attr(button, 'aria-pressed', String(dataset.big === 'on'));
  };
  button.addEventListener('click', async () => {
    await turn(dataset.big !== 'on');
    try {
      localStorage.setItem('stillup-big', dataset.big ?? '');
    } catch { /* storage is switched off: it holds until the page is left */ }
  });
  await turn(dataset.big === 'on');
}
