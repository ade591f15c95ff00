// @ts-check
// Sends the newest of what is given until it was taken or refused: what is older and not yet sent is not sent any more.

const FIRST = 500, MOST = 8000;

/** @template T */
export class Newest {
  /**
   * @param {(v: T) => Promise<void>} send one at a time
   * @param {{passes: (e: unknown) => boolean, waits: (v: T, e: unknown) => void, refused: (v: T, e: unknown) => void}} on
   *   passes: whether to try again may help; waits: it is tried again soon; refused: it is not
   */
  constructor(send, on) {
    this.send = send;
    this.on = on;
    /** @type {{v: T}|undefined} */
    this.due = undefined;
    this.busy = this.closed = false;
    this.wait = FIRST;
    this.timer = 0;
  }

  /** @param {T} v */
  put(v) {
    this.due = { v };
    this.wait = FIRST;
    this.now();
  }

  /** Does not wait any longer. */
  now() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (!this.busy && !this.closed && this.due) this.go(this.due);
  }

  /** @param {{v: T}} mine */
  async go(mine) {
    this.busy = true;
    try {
      await this.send(mine.v);
      if (this.due === mine) this.due = undefined;
    } catch (e) {
      if (this.closed || this.due !== mine) { /* it is over, or a newer one is */ } else if (this.on.passes(e)) {
        this.on.waits(mine.v, e);
        this.timer = setTimeout(() => this.now(), this.wait * (0.75 + Math.random() / 2)); // not all of a class at once
        this.wait = Math.min(MOST, this.wait * 2);
      } else {
        this.due = undefined;
        this.on.refused(mine.v, e);
      }
    } finally {
      this.busy = false;
    }
    if (!this.timer) this.now();
  }

  /** Nothing is sent any more. */
  close() {
    this.closed = true;
    clearTimeout(this.timer);
  }
}
