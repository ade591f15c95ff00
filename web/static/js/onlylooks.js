// @ts-check
// A page that only looks: what acts on the system is out of sight, and a press or a key that would act all the same is stopped.

import { keyOf } from './keys.js';
import { singles } from './singles.js';

/** What acts. What merely opens, shows or copies does not. */
export const ACTS = ['.verb', '.light', '#restore', '#mix', '#traffic button', '.change button', ...['run', 'lose', 'trim', 'disturb', 'resend', 'measure', 'replica'].map((a) => `[data-act="${a}"]`)].join();
/** @type {import('./keys.js').Act[]} */
const KEYS = ['kill', 'start', 'stop', 'pause', 'heal', 'more', 'restore'];
/** What takes characters for itself. */
const FIELDS = 'textarea, select, [contenteditable], input:not([type="radio"], [type="checkbox"], [type="range"])';

/** Whether this page only looks. */
export const looksOnly = () => typeof document !== 'undefined' && document.body.classList.contains('follows');

/** From now on, until the page is left. @param {() => void} refused told when somebody tried */
export function onlyLooks(refused) {
  document.body.classList.add('follows');
  const stop = (/** @type {Event} */ e) => {
    e.preventDefault();
    e.stopImmediatePropagation();
    refused();
  };
  addEventListener('click', (e) => { if (e.target instanceof Element && e.target.closest(ACTS)) stop(e); }, true);
  addEventListener('submit', (e) => { if (e.target instanceof Element && e.target.matches('#traffic, .change')) stop(e); }, true);
  addEventListener('keydown', (e) => {
    if (!(e.target instanceof Element) || e.target.closest(FIELDS) || document.querySelector('dialog:modal')) return;
    const k = keyOf(e, singles());
    if (k && KEYS.includes(k.act)) stop(e);
  }, true);
}
