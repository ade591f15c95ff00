// @ts-check
// Copying a text: by the clipboard where the page may use it, else by a field whose text stands there selected.

import { el } from './dom.js';

/**
 * Without a secure origin, as under a machine's name in a network, there is no clipboard.
 * @param {string} words @param {HTMLElement} beside where the field stands if there must be one @param {string} label of it
 * @returns {Promise<boolean>} false: nothing was copied; the text stands selected in a field
 */
export async function copyText(words, beside, label) {
  beside.querySelector(':scope > .copy-field')?.remove();
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch { /* no clipboard, or it is not allowed */ }
  const field = el('textarea', 'copy-field');
  Object.assign(field, { value: words, readOnly: true, rows: Math.min(10, words.split('\n').length) });
  field.setAttribute('aria-label', label);
  beside.append(field);
  field.focus();
  field.select();
  if (!document.execCommand('copy')) return false; // the older way, which needs no secure origin
  field.remove();
  return true;
}

/** @param {boolean} copied @param {string} what */
export const copiedWords = (copied, what) => (copied ? `${what} is copied` : `${what} is marked: copy it with Ctrl+C`);
