// @ts-check
// What there is to walk through, as the server tells it, each asked for once; and the terms of its texts.

import { get } from './api.js';
import { within } from './actions.js';
import { actions } from './dataparts.js';
import { Later, styled } from './later.js';
import { chapter, tours } from './tourparts.js';
import { bare, orders } from './tourwords.js';

/** @typedef {import('./tourparts.js').Chapter} Chapter @typedef {import('./tourparts.js').Tours} Tours */

export class Reading {
  /** @param {import('./verbs.js').Say} say */
  constructor(say) {
    /** @type {Tours|undefined} once they are known */
    this.tours = undefined;
    /** Names of actions by id, once one was to be named. @type {ReadonlyMap<string, string>|undefined} */
    this.actions = undefined;
    /** @type {typeof import('./glossary.js')|undefined} */
    this.words = undefined;
    this.glossary = new Later('the glossary', async () => {
      this.words = await styled(import('./glossary.js'), 'sheet', 'class');
      return new this.words.Glossary((await this.all()).glossary, say);
    }, say);
  }

  /** All chapters, and the glossary. @returns {Promise<Tours>} */
  async all() {
    return this.tours ??= tours(await within((s) => get('/api/v1/walkthrough', s)));
  }

  /** A chapter, and what its texts need. @param {string} id @returns {Promise<Chapter>} */
  async chapter(id) {
    await this.all();
    if (!this.words && !this.glossary.loading) await this.glossary.begin(); // where it cannot be had that is said, and texts are there without
    const c = chapter(await within((s) => get(`/api/v1/walkthrough/${encodeURIComponent(id)}`, s)));
    if (!this.actions && c.steps.some((s) => s.do.some((d) => d.startsWith('do ')))) {
      try {
        this.actions = new Map(actions(await within((s) => get('/api/v1/actions', s))).map((a) => [a.id, a.name]));
      } catch { /* then they are called by their ids */ }
    }
    return c;
  }

  /** The terms in a window of their own. @param {string} [term] */
  terms(term = '') {
    this.glossary.use((g) => g.open(term));
  }

  /** A text, its terms as buttons. @param {string} words @returns {Node[]} */
  termed(words) {
    return this.words ? this.words.termed(words, (t) => this.terms(t)) : [document.createTextNode(bare(words))];
  }

  /** Deeds as a button offers them. @param {string[]} deeds */
  orders(deeds) {
    return orders(deeds, this.actions);
  }
}
