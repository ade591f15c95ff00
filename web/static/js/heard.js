// @ts-check
// A stream of which every message is understood, or said not to be; where nothing comes, why, until it comes again.

import { reason } from './actions.js';
import { detail } from './api.js';
import { Live } from './live.js';

/** An answer that says why may take so long, ms. */
const WITHIN = 8000;

/** @template T */
export class Heard {
  /**
   * @param {string} url @param {(text: string) => T} parse throws where it does not understand
   * @param {{told: (t: T) => void, lost: (why: string, status: number) => void, back?: () => void}} on
   *   lost: why nothing comes now; status: of the refusal, 0 for none. back: it is heard again
   */
  constructor(url, parse, on) {
    this.url = url;
    this.parse = parse;
    this.on = on;
    this.asking = this.ended = false;
    this.live = new Live(url, { data: (text) => this.take(text), is: (live) => (live ? this.well() : void this.ask()) });
  }

  well() {
    if (!this.ended) this.on.back?.();
  }

  /** @param {string} text */
  take(text) {
    if (this.ended) return;
    let t;
    try {
      t = this.parse(text);
    } catch (e) {
      return this.on.lost(reason(e), 0);
    }
    this.well();
    this.on.told(t);
  }

  /** A stream does not tell why it is refused; the same question, plainly asked, does. */
  async ask() {
    if (this.asking || this.ended) return;
    this.asking = true;
    const c = new AbortController();
    let why = 'the dashboard does not answer', status = 0;
    try {
      const res = await fetch(this.url, { cache: 'no-store', signal: AbortSignal.any([c.signal, AbortSignal.timeout(WITHIN)]) });
      why = res.ok ? 'the connection was lost' : await detail(res);
      if (!res.ok) status = res.status;
    } catch { /* it does not */ } finally {
      c.abort(); // of a stream that is there after all
      this.asking = false;
    }
    if (!this.ended && this.live.source?.readyState !== EventSource.OPEN) this.on.lost(why, status);
  }

  close() {
    this.ended = true;
    this.live.close();
  }
}
