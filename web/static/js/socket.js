// @ts-check
// The socket to the hub: frames come in; a connection that is lost or has gone silent is said at once and made again.

import { parse } from './messages.js';
import { FrameError } from './parse.js';

const FIRST = 250, MOST = 8000;
/** The server says something every 2 s: silent for so long, it hangs or the way to it is cut. */
export const SILENT = 5000;

/**
 * @param {string} url
 * @param {{frame: (f: import('./messages.js').Frame) => boolean, lost: (why: string, wait: number) => void, live: () => void}} on
 *   frame returns false where a full frame is needed
 * @returns {() => void} connects again now
 */
export function connect(url, on) {
  let wait = FIRST, timer = 0, heard = 0;
  /** @type {WebSocket|undefined} */
  let ws;

  function open() {
    clearTimeout(timer);
    const old = ws;
    ws = undefined;
    old?.close();
    const mine = new WebSocket(url);
    ws = mine;
    heard = performance.now();
    mine.onmessage = (m) => {
      if (mine !== ws) return;
      heard = performance.now();
      try {
        if (!on.frame(parse(String(m.data)))) return again('a frame was missed', 0);
        wait = FIRST;
        on.live();
      } catch (e) {
        if (!(e instanceof FrameError)) throw e;
        again(`a frame was not understood (${e.message})`);
      }
    };
    mine.onclose = () => { if (mine === ws) again('the connection was lost'); };
  }

  /** @param {string} why @param {number} [after] */
  function again(why, after = wait * (0.75 + Math.random() / 2)) {
    const old = ws;
    ws = undefined;
    old?.close();
    if (after > 0) {
      on.lost(why, after);
      wait = Math.min(MOST, wait * 2);
    }
    clearTimeout(timer);
    timer = setTimeout(open, Math.max(after, 50));
  }

  open();
  setInterval(() => {
    if (ws && performance.now() - heard > SILENT) again(`nothing was heard for ${SILENT / 1000} s`);
  }, 500);
  addEventListener('online', open);
  return open;
}
