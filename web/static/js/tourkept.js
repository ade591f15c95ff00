// @ts-check
// How far a reader is in the walkthrough: what was guessed, what was told, where they are. It is kept by the browser for each
// system, and every tab of it is told when another one goes on.

import { found } from './tourparts.js';
import { object, str, strings } from './parse.js';

/** @typedef {import('./tourparts.js').Found} Found */
/**
 * @typedef {{after: string, sum: string, cells: Found[], at: number}} Told at: ms of the epoch
 * @typedef {{guess?: Record<string, boolean>, done?: Told}} StepKept guess: by cell, whether it will still work
 * @typedef {{steps: Record<string, StepKept>, did?: string[], finished?: boolean}} ChapterKept did: what the lab did to get ready
 * @typedef {{chapter: string, step: string, chapters: Record<string, ChapterKept>}} State chapter '': none was begun
 */

/** @returns {State} */
const none = () => ({ chapter: '', step: '', chapters: {} });

/** How many cells were asked of a chapter and how many of the answers were right: of steps that were told. Pure.
 * @param {ChapterKept|undefined} c @returns {{right: number, asked: number}} */
export function score(c) {
  let right = 0, asked = 0;
  for (const { guess, done } of Object.values(c?.steps ?? {})) {
    for (const f of done?.cells ?? []) {
      if (guess?.[f.cell] === undefined || f.state === 'untried') continue;
      asked++;
      if (guess[f.cell] === f.answers) right++;
    }
  }
  return { right, asked };
}

/** What was kept, as far as it is understood; parts that are not ours are left out. Pure. @param {string|null} text @returns {State} */
export function read(text) {
  const s = none();
  try {
    const o = object(JSON.parse(text ?? '{}'), 'kept');
    Object.assign(s, { chapter: str(o, 'chapter', 'kept'), step: str(o, 'step', 'kept') });
    for (const [id, v] of Object.entries(o.chapters ? object(o.chapters, 'chapters') : {})) {
      const c = object(v, id);
      /** @type {ChapterKept} */
      const kept = { steps: {}, finished: c.finished === true };
      if (c.did) kept.did = strings(c, 'did', id);
      for (const [name, x] of Object.entries(object(c.steps ?? {}, id))) kept.steps[name] = stepKept(object(x, name));
      s.chapters[id] = kept;
    }
  } catch { /* not ours: as far as it was understood */ }
  return s;
}

/** @param {import('./parse.js').Raw} o @returns {StepKept} */
function stepKept(o) {
  /** @type {StepKept} */
  const s = {};
  if (o.guess) s.guess = Object.fromEntries(Object.entries(object(o.guess, 'guess')).map(([k, v]) => [k, v === true]));
  if (o.done) {
    const d = object(o.done, 'done');
    s.done = { after: str(d, 'after', 'done'), sum: str(d, 'sum', 'done'), cells: found(d, 'done'), at: Number(d.at) };
  }
  return s;
}

export class Kept {
  /** @param {string} name of the system @param {string} [follows] the class that is followed: it is kept apart from what one does alone */
  constructor(name, follows = '') {
    this.key = `stillup-tour:${name}${follows && `:${follows}`}`;
    /** @type {Set<() => void>} */
    this.told = new Set();
    this.state = this.stored();
    addEventListener('storage', (e) => {
      if (e.key !== this.key && e.key !== null) return;
      this.state = read(e.key && e.newValue);
      for (const f of this.told) f();
    });
  }

  stored() {
    try {
      return read(localStorage.getItem(this.key));
    } catch {
      return none(); // storage is switched off: it holds until the page is left
    }
  }

  /** Not to be changed but by put. @returns {State} */
  get() {
    return this.state;
  }

  /** Changes what is kept, here and in other tabs; who listens here is told as well. @param {(s: State) => void} change */
  put(change) {
    change(this.state);
    try {
      localStorage.setItem(this.key, JSON.stringify(this.state));
    } catch { /* switched off or full */ }
    for (const f of this.told) f();
  }

  /** @param {() => void} f told after every change, of this tab or another */
  onChange(f) {
    this.told.add(f);
  }

  /** @param {string} chapter @param {string} step @returns {StepKept} */
  of(chapter, step) {
    return this.state.chapters[chapter]?.steps[step] ?? {};
  }

  /** Where a reader is. @param {string} chapter @param {string} step */
  at(chapter, step) {
    if (this.state.chapter !== chapter || this.state.step !== step) this.put((s) => Object.assign(s, { chapter, step }));
  }

  /** @param {string} chapter @param {string} step @param {StepKept} more */
  add(chapter, step, more) {
    this.put((s) => {
      const c = s.chapters[chapter] ??= { steps: {} };
      c.steps[step] = { ...c.steps[step], ...more };
    });
  }

  /** A chapter begins: what was told of it is forgotten. @param {string} chapter @param {string} first its step @param {string[]} did */
  begin(chapter, first, did) {
    this.put((s) => {
      s.chapters[chapter] = { steps: {}, did };
      Object.assign(s, { chapter, step: first });
    });
  }

  /** @param {string} chapter */
  finish(chapter) {
    this.put((s) => {
      (s.chapters[chapter] ??= { steps: {} }).finished = true;
      if (s.chapter === chapter) Object.assign(s, { chapter: '', step: '' });
    });
  }
}
