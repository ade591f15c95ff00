// @ts-check
// Deeds and cells of the walkthrough in words. Pure.

import { parted } from './tourparts.js';
import { and } from './words.js';

/** @typedef {import('./tourparts.js').Found} Found */

/** @param {string} s */
const capital = (s) => s.slice(0, 1).toUpperCase() + s.slice(1);

/** One deed as an order: "kill stock", "set the traffic to 20 a second". @param {string} deed as the chapter has it
 * @param {ReadonlyMap<string, string>} actions their names by id */
function order(deed, actions) {
  const [verb, ...rest] = deed.split(' '), to = rest.join(' ');
  const load = /^set load to (\S+)$/.exec(deed);
  if (load) return Number(load[1]) === 0 ? 'stop the traffic' : `set the traffic to ${load[1]} a second`;
  switch (verb) {
    case 'cut': return `cut ${to} off`;
    case 'restore': return 'restore everything';
    case 'measure': return `measure the ${to}`;
    case 'do': {
      const [, id, of = '', values = ''] = /^(\S+)(?: of (\S+))?(?: with (.*))?$/.exec(to) ?? [to, to];
      return `${actions.get(id) ?? id.replaceAll('-', ' ')}${of && ` ${of}`}${values && `: ${values.replace(/(^|, )\S+ = /g, '$1').replaceAll('{now}', 'now')}`}`;
    }
    default: return deed;
  }
}

/** What a step's button does. @param {string[]} deeds @param {ReadonlyMap<string, string>} [actions] their names by id */
export const orders = (deeds, actions = new Map()) => capital(and(deeds.map((d) => order(d, actions))));

/** @typedef {{features: {id: string, name: string}[], patterns: {id: string, name: string}[]}} Names of the system */

/** @param {{id: string, name: string}[]} all @param {string} id */
const named = (all, id) => all.find((x) => x.id === id)?.name ?? id;

/** What each cell of a question is called, and what all of them have in common: '' for nothing.
 * @param {string[]} cells @param {Names} names @returns {{common: string, rows: {cell: string, name: string, of: string}[]}} */
export function rows(cells, { features, patterns }) {
  const all = cells.map((cell) => ({ cell, ...parted(cell) })), pattern = all.every((c) => c.pattern === all[0].pattern);
  const feature = !pattern && all.every((c) => c.feature === all[0].feature);
  return {
    common: pattern ? named(patterns, all[0].pattern) : feature ? named(features, all[0].feature) : '',
    rows: all.map((c) => {
      const f = named(features, c.feature), p = named(patterns, c.pattern);
      return { cell: c.cell, name: feature ? p : f, of: pattern || feature ? '' : p };
    }),
  };
}

/** How a guess fits what was measured. @param {boolean|undefined} guess @param {Found} f @returns {'right'|'wrong'|'none'} */
export const mark = (guess, f) => (guess === undefined || f.state === 'untried' ? 'none' : guess === f.answers ? 'right' : 'wrong');

/** Why a cell is as it is: what the chapter says of it, else what is seen. @param {Found} f */
export function explained(f) {
  if (f.why) return f.why;
  const who = f.because.length > 0 ? `It needs ${and(f.because)}` : '';
  if (f.answers) return f.state === 'works' ? 'Nothing that it needs was touched.' : f.state === 'slow' ? `It answers, but later${who ? `: ${who.toLowerCase()}` : ''}.` : 'It answers from a copy that is behind.';
  return [who && `${who}.`, f.reason && `Its last request: ${f.reason}.`].filter(Boolean).join(' ') || 'Why is not known.';
}

/** @param {{right: number, asked: number}} s @returns {string} '' where nothing was asked */
export const scored = ({ right, asked }) => (asked > 0 ? `${right} of ${asked} predicted` : '');

/** A text without the signs of its terms. @param {string} s */
export const bare = (s) => s.replace(/\[([^\]]+)\]/g, '$1');
