// @ts-check
// Which type the next event of a connection is, for its dot's shape. A stream is a log, so whoever takes of it gets the types
// in the order in which they came. Frames hold samples: of what was not in one the type is unknown, and its shape is the
// first. Pure.

/** So many types of a stream have a shape each; of a stream with more all have the first. */
export const FORMS = 4;
/** So many of a log are remembered. */
const KEPT = 64;

/** @typedef {{types: string[], n: number}} Log types: a ring; n: of all that came */

export class Types {
  constructor() {
    /** @type {Map<string, string[]>} types by stream, in the order in which they were first seen */
    this.known = new Map();
    /** @type {Map<string, Log>} by stream, and by stream and emitter */
    this.logs = new Map();
    /** @type {Map<string, number>} how far an edge has come in its log */
    this.at = new Map();
  }

  /** @param {import('./messages.js').Event[]} events of one frame, oldest first */
  see(events) {
    for (const e of events) {
      if (e.type === '') continue;
      const known = this.known.get(e.stream);
      if (!known) this.known.set(e.stream, [e.type]);
      else if (known.length <= FORMS && !known.includes(e.type)) known.push(e.type);
      this.log(e.stream, e.type);
      this.log(`${e.stream}|${e.node}`, e.type);
    }
  }

  /** @param {string} key @param {string} type */
  log(key, type) {
    let l = this.logs.get(key);
    if (!l) this.logs.set(key, (l = { types: [], n: 0 }));
    l.types[l.n++ % KEPT] = type;
  }

  /** Shape of a stream's type, 0 to FORMS - 1. @param {string} stream @param {string} type */
  shape(stream, type) {
    const known = this.known.get(stream) ?? [];
    return known.length > FORMS ? 0 : Math.max(0, known.indexOf(type));
  }

  /** What a stream's shapes mean; '' where it has one type or too many. @param {string} stream */
  words(stream) {
    const known = this.known.get(stream) ?? [];
    return known.length < 2 || known.length > FORMS ? '' : `. ${known.map((t, i) => `${'●◆▲■'[i]} ${t}`).join(', ')}`;
  }

  /** Shape of the next event on an edge. @param {string} id of the edge @param {string} stream @param {string} emitter '' for a take */
  next(id, stream, emitter) {
    const l = this.logs.get(emitter ? `${stream}|${emitter}` : stream);
    if (!l) return 0;
    const at = Math.max(this.at.get(id) ?? l.n - 1, l.n - KEPT);
    if (at >= l.n) return 0;
    this.at.set(id, at + 1);
    return this.shape(stream, l.types[at % KEPT]);
  }
}
