// @ts-check
// Whether keys of a single character act: a screen reader or speech input may need those for itself. The choice is kept.

const KEPT = 'stillup-keys';

let on = true;
try {
  on = localStorage.getItem(KEPT) !== 'off';
} catch { /* storage is switched off */ }

export const singles = () => on;

/** @param {boolean} yes */
export function setSingles(yes) {
  on = yes;
  try {
    localStorage.setItem(KEPT, yes ? 'on' : 'off');
  } catch { /* storage is switched off: it holds until the page is left */ }
}
