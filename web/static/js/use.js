// @ts-check
// What a node uses of its machine: processor and memory, each as a number and, where there is a limit, a thin bar.

import { attr, el, text } from './dom.js';

/** @typedef {import('./messages.js').Use} Use */
/** @typedef {{name: string, brief: string, long: string, share: number}} Figure share of the limit, 0 where there is none */

/** From this share of a limit on it is said with a warning. */
export const NEARLY = 0.9;

/** @param {number} n cores */
const cores = (n) => (n < 10 ? String(Math.round(n * 100) / 100) : String(Math.round(n)));

const UNITS = ['kB', 'MB', 'GB', 'TB'];

/** Number and unit, by 1024s as limits are given. @param {number} n bytes @returns {[string, string]} */
function bytes(n) {
  let i = 0, k = n / 1024;
  while (i + 1 < UNITS.length && Math.round(k) >= 1000) [i, k] = [i + 1, k / 1024];
  return [k >= 10 || Number.isInteger(k) ? String(Math.round(k)) : k.toFixed(1), UNITS[i]];
}

/** @param {number} n @param {number} limit bytes @returns {string} "14 of 64 MB" */
function ofBytes(n, limit) {
  const [a, unit] = bytes(n), [b, of] = bytes(limit);
  return limit <= 0 ? `${a} ${unit}` : unit === of ? `${a} of ${b} ${of}` : `${a} ${unit} of ${b} ${of}`;
}

/** Pure. @param {Use} u @returns {Figure[]} */
export const figures = (u) => [
  { name: 'CPU', brief: `${cores(u.cpu)} cpu`, long: `${cores(u.cpu)}${u.cpu_limit > 0 ? ` of ${cores(u.cpu_limit)}` : ''} cpu`, share: u.cpu_limit > 0 ? u.cpu / u.cpu_limit : 0 },
  { name: 'memory', brief: bytes(u.memory).join(' '), long: ofBytes(u.memory, u.memory_limit), share: u.memory_limit > 0 ? u.memory / u.memory_limit : 0 },
];

/** All of it in words: "0.03 of 0.5 cpu, 14 of 64 MB". Pure. @param {Use|null} u @returns {string} '' where nothing is known */
export const useWords = (u) => (u ? figures(u).map((f) => `${f.long}${f.share >= NEARLY ? ' (nearly all)' : ''}`).join(', ') : '');

/** One figure over its bar. @param {Figure} f @param {'brief'|'long'} words */
export function meter(f, words) {
  const m = el('span', 'meter');
  fill(m, f, words);
  return m;
}

/** @param {HTMLElement} m @param {Figure} f @param {'brief'|'long'} words */
function fill(m, f, words) {
  const near = f.share >= NEARLY;
  text(m, `${near ? '⚠ ' : ''}${f[words]}`);
  m.classList.toggle('limited', f.share > 0);
  m.classList.toggle('warned', near);
  m.style.setProperty('--share', `${Math.min(100, Math.round(f.share * 100))}%`);
}

/** The line of it on a card. */
export class UseLine {
  constructor() {
    this.meters = [el('span', 'meter'), el('span', 'meter')];
    this.root = el('p', 'use', ...this.meters);
    this.root.hidden = true;
  }

  /** @param {Use|null} u */
  render(u) {
    this.root.hidden = !u;
    if (!u) return;
    figures(u).forEach((f, i) => fill(this.meters[i], f, 'brief'));
    attr(this.root, 'title', `It uses ${useWords(u)}`);
  }
}
