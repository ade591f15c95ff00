// @ts-check
// Tells in words what came to ail a node and what is well again, once each, for those who do not see the map.

import { text } from './dom.js';
import { and, trouble } from './words.js';

/** Changes within this time are told together, ms. */
const TOGETHER = 400;
/** So many are named. */
const NAMED = 4;

/** @param {string[]} all */
const some = (all) => and(all.length > NAMED ? [...all.slice(0, NAMED - 1), `${all.length - NAMED + 1} more`] : all);

/** What changed, in sentences; '' for nothing. Pure. @param {Map<string, string>} before trouble by node @param {Map<string, string>} now */
export function changes(before, now) {
  /** @type {string[]} */
  const ill = [], well = [];
  for (const [id, is] of now) {
    const was = before.get(id);
    if (was === undefined || was === is) continue;
    if (is) ill.push(is);
    else well.push(id);
  }
  return [some(ill), well.length > 0 ? `${some(well)} ${well.length > 1 ? 'are' : 'is'} well again` : ''].filter(Boolean).join('. ');
}

export class Announcer {
  /** @param {Element} region a polite live region */
  constructor(region) {
    this.region = region;
    /** @type {Map<string, string>|undefined} as told */
    this.told = undefined;
    this.pending = 0;
  }

  /** @param {import('./world.js').World} w */
  render(w) {
    const now = new Map();
    for (const n of w.nodes.values()) {
      // One that starts is on its way: what comes of it is told.
      now.set(n.id, n.state === 'starting' ? this.told?.get(n.id) ?? '' : trouble(n));
    }
    if (!this.told) this.told = now; // how it was found is on the page
    this.now = now;
    if (this.pending === 0 && changes(this.told, now)) this.pending = setTimeout(() => this.tell(), TOGETHER);
  }

  tell() {
    this.pending = 0;
    if (!this.told || !this.now) return;
    const words = changes(this.told, this.now);
    this.told = this.now;
    if (words) text(this.region, words);
  }
}
