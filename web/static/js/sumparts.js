// @ts-check
// What a run of the walkthrough came to, chapter by chapter, from what is kept of it; and the same as text. Pure.

import { score } from './tourkept.js';
import { and, clock } from './words.js';

/** @typedef {import('./tourkept.js').ChapterKept} ChapterKept @typedef {import('./tourparts.js').Entry} Entry */
/** @typedef {{right: number, asked: number}} Score */
/**
 * @typedef {{id: string, title: string, claim: string, minutes: number, steps: number, done: number, sums: string[], from: number,
 *   till: number} & Score} Played done: steps of it; from, till: when they were, ms of the epoch, NaN for none
 */

/** One entry for each chapter, in their order. @param {Entry[]} chapters @param {Record<string, ChapterKept>} kept by chapter @returns {Played[]} */
export const played = (chapters, kept) => chapters.map((c) => {
  const done = c.stepIds.flatMap((id) => kept[c.id]?.steps[id]?.done ?? []), at = done.map((d) => d.at).filter((ms) => !Number.isNaN(ms));
  return {
    id: c.id, title: c.title, claim: c.claim, minutes: c.minutes, steps: c.stepIds.length, done: done.length, sums: done.map((d) => d.sum).filter((s) => s !== ''),
    from: at.length > 0 ? Math.min(...at) : NaN, till: at.length > 0 ? Math.max(...at) : NaN, ...score(kept[c.id]),
  };
});

/** @param {Score} s '' where nothing was asked */
export const scoreWords = ({ right, asked }) => (asked === 0 ? '' : `${right} of ${asked} predictions right`);

/** @param {number} ms */
const day = (ms) => new Date(ms).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });

/** @param {Pick<Played, 'from'|'till'>} p '' for one not begun */
export function whenWords({ from, till }) {
  if (Number.isNaN(from)) return '';
  const [a, b] = [from, till].map((ms) => clock(ms).slice(0, 5));
  if (day(from) !== day(till)) return `${day(from)}, ${a}, to ${day(till)}, ${b}`;
  return `${day(from)}, ${a === b ? a : `${a} to ${b}`}`;
}

/** How far a chapter is, where it is not at its end; '' where it is. @param {Played} p */
export const farWords = (p) => (p.done === 0 ? 'not played yet' : p.done < p.steps ? `${p.done} of ${p.steps} steps so far` : '');

/** All of it in a sentence. @param {Played[]} all */
export function totalWords(all) {
  const full = all.filter((p) => p.done > 0 && p.done >= p.steps).length;
  const sum = { right: all.reduce((n, p) => n + p.right, 0), asked: all.reduce((n, p) => n + p.asked, 0) };
  return and([`${full} of ${all.length} chapters played`, ...(sum.asked > 0 ? [`${sum.right} of ${sum.asked} predictions right`] : [])]);
}

/** Whose numbers these are. */
export const OWN = 'Every number here was measured in your own run, at the time that stands with it, on the machine that ran the system. Another run gives others.';

/** @param {Played[]} all @param {string} system its name */
export const sumText = (all, system) => [
  `Stillup${system ? `: ${system}` : ''}. What this run measured`, `${totalWords(all)}.`, OWN,
  ...all.filter((p) => p.done > 0).map((p) => [
    `${p.title}`, `Claim: ${p.claim}`, ...p.sums.map((s) => `- ${s}`), `(${[whenWords(p), scoreWords(p), farWords(p)].filter((s) => s).join('; ')})`].join('\n')),
  ...(all.some((p) => p.done === 0) ? [`Not played yet: ${and(all.filter((p) => p.done === 0).map((p) => p.title))}.`] : []),
].join('\n\n');
