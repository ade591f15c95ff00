// @ts-check
// The walkthrough as the server tells it: its chapters, their steps and how a step stands; parsers that reject what is not so.
// Pure.

import { bool, json, key, list, num, object, oneOf, str, strings, time } from './parse.js';

/** @typedef {import('./parse.js').Raw} Raw */
/**
 * @typedef {{term: string, also: string[], say: string}} Term
 * @typedef {{id: string, title: string, claim: string, minutes: number, steps: number, stepIds: string[]}} Entry a chapter in the list
 * @typedef {{chapters: Entry[], glossary: Term[], can: boolean, why: string}} Tours can: nodes can be acted on; why: else
 * @typedef {{nodes: string[], streams: string[], pattern: string, cells: string[], data: string, cost: string}} Show
 * @typedef {{ask: string, cells: string[], why: Record<string, string>}} Predict cells: "FEATURE in PATTERN"
 * @typedef {{id: string, title: string, say: string, after: string, sum: string, show: Show, predict: Predict|null, do: string[],
 *   until: string[]}} Step
 * @typedef {{id: string, title: string, claim: string, minutes: number, steps: Step[]}} Chapter
 * @typedef {{text: string, holds: boolean, sees: string}} Seen a condition, and what is seen in its place
 * @typedef {{text: string, deed: string}} Said deed: '' for none
 * @typedef {{cell: string, state: import('./messages.js').CellState, answers: boolean, reason: string, because: string[], why: string}} Found
 * @typedef {'waiting'|'settling'|'done'} Phase
 * @typedef {{chapter: string, step: string, phase: Phase, conditions: Seen[], help: Said[], took: number, after: string, sum: string,
 *   cells: Found[], at: number}} Verdict at: when it was done, ms of the epoch; NaN until then
 */

/** @param {Raw} o @param {string} k @param {string} at @returns {Raw} empty where absent */
const maybe = (o, k, at) => (o[k] === undefined || o[k] === null ? {} : object(o[k], `${at}.${k}`));

/** @param {string} text of GET /api/v1/walkthrough @returns {Tours} @throws {import('./parse.js').FrameError} */
export function tours(text) {
  const o = object(json(text), 'walkthrough');
  return {
    chapters: list(o, 'chapters', 'walkthrough', (c, at) => ({
      id: key(c, 'id', at), title: key(c, 'title', at), claim: str(c, 'claim', at), minutes: num(c, 'minutes', at), steps: num(c, 'steps', at),
      stepIds: strings(c, 'step_ids', at),
    })),
    glossary: list(o, 'glossary', 'walkthrough', (t, at) => ({ term: key(t, 'term', at), also: strings(t, 'also', at), say: str(t, 'say', at) })),
    can: bool(o, 'can'), why: str(o, 'why', 'walkthrough'),
  };
}

/** @param {string} text of GET /api/v1/walkthrough/{chapter} @returns {Chapter} @throws {import('./parse.js').FrameError} */
export function chapter(text) {
  const o = object(json(text), 'chapter');
  const c = { id: key(o, 'id', 'chapter'), title: key(o, 'title', 'chapter'), claim: str(o, 'claim', 'chapter'), minutes: num(o, 'minutes', 'chapter'), steps: list(o, 'steps', 'chapter', step) };
  object(c.steps[0], 'chapter.steps[0]'); // one without a step could not be walked through
  return c;
}

/** @param {Raw} o @param {string} at @returns {Step} */
function step(o, at) {
  const show = maybe(o, 'show', at), p = maybe(o, 'predict', at), why = maybe(p, 'why', `${at}.predict`), cells = strings(p, 'cells', `${at}.predict`);
  return {
    id: key(o, 'id', at), title: key(o, 'title', at), say: str(o, 'say', at), after: str(o, 'after', at), sum: str(o, 'sum', at),
    show: {
      nodes: strings(show, 'nodes', at), streams: strings(show, 'streams', at), pattern: str(show, 'pattern', at), cells: strings(show, 'cells', at),
      data: str(show, 'data', at), cost: str(show, 'cost', at),
    },
    predict: cells.length > 0 ? { ask: str(p, 'ask', at), cells, why: Object.fromEntries(Object.keys(why).map((k) => [k, str(why, k, at)])) } : null,
    do: strings(o, 'do', at), until: strings(o, 'until', at),
  };
}

const STATES = /** @type {const} */ (['works', 'slow', 'stale', 'fails', 'untried']);

/** @param {string} text an event of a step's live stream @returns {Verdict} @throws {import('./parse.js').FrameError} */
export function verdict(text) {
  const o = object(json(text), 'verdict');
  return {
    chapter: key(o, 'chapter', 'verdict'), step: key(o, 'step', 'verdict'), phase: oneOf(str(o, 'phase', 'verdict'), /** @type {const} */ (['waiting', 'settling', 'done']), 'waiting'),
    conditions: list(o, 'conditions', 'verdict', (c, at) => ({ text: str(c, 'text', at), holds: bool(c, 'holds'), sees: str(c, 'sees', at) })),
    help: list(o, 'help', 'verdict', (h, at) => ({ text: str(h, 'text', at), deed: str(h, 'deed', at) })),
    took: num(o, 'took_ms', 'verdict'), after: str(o, 'after', 'verdict'), sum: str(o, 'sum', 'verdict'), cells: found(o, 'verdict'), at: time(o, 'done_at', 'verdict'),
  };
}

/** The cells of a question as they were measured. @param {Raw} o @param {string} at @returns {Found[]} */
export const found = (o, at) => list(o, 'cells', at, (c, in_) => ({
  cell: key(c, 'cell', in_), state: oneOf(str(c, 'state', in_), STATES, 'untried'), answers: bool(c, 'answers'), reason: str(c, 'reason', in_),
  because: strings(c, 'because', in_), why: str(c, 'why', in_),
}));

/** What was done, of an answer. @param {string} text @returns {string[]} @throws {import('./parse.js').FrameError} */
export const did = (text) => strings(object(json(text || '{}'), 'answer'), 'did', 'answer');

/** @param {string} cell "buy in sync" @returns {{feature: string, pattern: string}} */
export function parted(cell) {
  const i = cell.lastIndexOf(' in ');
  return i < 0 ? { feature: cell, pattern: '' } : { feature: cell.slice(0, i), pattern: cell.slice(i + 4) };
}

/** @param {string} chapter @param {string} step @returns {string} of the API */
export const stepPath = (chapter, step) => `/api/v1/walkthrough/${encodeURIComponent(chapter)}/${encodeURIComponent(step)}`;
