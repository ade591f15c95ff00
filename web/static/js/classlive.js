// @ts-check
// What a class tells, as it comes: to its presenter and to those who follow.

import { told } from './classparts.js';
import { Heard } from './heard.js';

/** A page that nobody sees for so long does not listen: a browser has few connections to one server for all its tabs. */
const UNSEEN = 60_000;

export class ClassLive {
  /**
   * @param {string} id @param {Record<string, string>} query
   * @param {{told: (t: import('./classparts.js').Told) => void, lost: (why: string, status: number) => void}} on
   *   lost: why nothing comes now; status: of the refusal, 0 for none; 404: no class of that id is open
   */
  constructor(id, query, on) {
    this.url = `/api/v1/class/${encodeURIComponent(id)}/live?${new URLSearchParams(query)}`;
    this.on = on;
    this.timer = 0;
    /** @type {Heard<import('./classparts.js').Told>|undefined} */
    this.heard = undefined;
    this.seen = () => {
      clearTimeout(this.timer);
      if (document.hidden) this.timer = setTimeout(() => this.hush(), UNSEEN);
      else this.listen();
    };
    document.addEventListener('visibilitychange', this.seen);
    this.listen();
  }

  listen() {
    this.heard ??= new Heard(this.url, told, this.on);
  }

  hush() {
    this.heard?.close();
    this.heard = undefined;
  }

  close() {
    document.removeEventListener('visibilitychange', this.seen);
    clearTimeout(this.timer);
    this.hush();
  }
}
