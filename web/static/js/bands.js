// @ts-check
// The rows of the river: a stream each, or, where there are many, groups of streams by what their names begin with, else by
// their kind of data, else runs in their order. A group is shut until it is opened. Pure and deterministic.

/**
 * @typedef {object} Band
 * @property {string} id the stream, or of a group "group:" and its name
 * @property {string} name as shown
 * @property {string[]} streams of the row; of a group all of them, also those that have a row of their own
 * @property {boolean} group
 * @property {boolean} open a group whose streams follow as rows of their own
 * @property {boolean} inner it belongs to the group above it
 */

/** Up to so many streams have a row each; of more there are at most so many groups. */
export const MANY = 20, GROUPS = 12;

const HEAD = /^[^.:/_-]+/;

/**
 * @param {{name: string, kind: string}[]} streams @param {ReadonlySet<string>} [open] ids of opened groups
 * @param {ReadonlySet<string>} [show] streams that have a row of their own even so: searched for, or in trouble
 * @param {number} [many] other than MANY @param {number} [most] other than GROUPS
 * @returns {Band[]}
 */
export function bands(streams, open = new Set(), show = new Set(), many = MANY, most = GROUPS) {
  if (streams.length <= many) return streams.map((s) => row(s.name, false));
  /** @type {Band[]} */
  const out = [];
  for (const [name, members] of groups(streams, most)) {
    if (members.length === 1) {
      out.push(row(members[0], false));
      continue;
    }
    const id = `group:${name}`, isOpen = open.has(id);
    out.push({ id, name, streams: members, group: true, open: isOpen, inner: false });
    out.push(...members.filter((m) => isOpen || show.has(m)).map((m) => row(m, true)));
  }
  return out;
}

/** @param {string} name @param {boolean} inner @returns {Band} */
const row = (name, inner) => ({ id: name, name, streams: [name], group: false, open: false, inner });

/** @param {{name: string, kind: string}[]} streams @param {number} most @returns {Map<string, string[]>} by name, in order */
function groups(streams, most) {
  const ways = [(/** @type {{name: string}} */ s) => HEAD.exec(s.name)?.[0] ?? s.name, (/** @type {{kind: string}} */ s) => s.kind || 'no kind'];
  for (const key of ways) {
    const by = grouped(streams, key);
    if (by.size > 1 && by.size <= most) return new Map([...by].map(([k, v]) => [k, v.map((s) => s.name)]));
  }
  const each = Math.ceil(streams.length / most);
  /** @type {Map<string, string[]>} */
  const runs = new Map();
  for (let i = 0; i < streams.length; i += each) {
    const run = streams.slice(i, i + each).map((s) => s.name);
    runs.set(`${run[0]} to ${run[run.length - 1]}`, run);
  }
  return runs;
}

/** @template T @param {T[]} all @param {(t: T) => string} key @returns {Map<string, T[]>} */
function grouped(all, key) {
  /** @type {Map<string, T[]>} */
  const m = new Map();
  for (const t of all) m.set(key(t), [...(m.get(key(t)) ?? []), t]);
  return m;
}

/** How old the oldest must be for a stream to be in trouble, ms. */
const OLD = 5000;

/**
 * Streams in trouble: entries trimmed unread, or at the door for long. One that was stays in trouble until nothing waits, so
 * that rows do not come and go.
 * @param {Iterable<import('./messages.js').Edge>} edges @param {ReadonlySet<string>} before @param {number} most
 * @returns {Set<string>}
 */
export function troubled(edges, before, most) {
  /** @type {Map<string, number>} */
  const worst = new Map();
  for (const e of edges) {
    if (e.kind !== 'take') continue;
    const bad = e.trimmed_unread || (e.waiting > 0 && (e.oldest_ms >= OLD || before.has(e.from)));
    if (bad) worst.set(e.from, Math.max(worst.get(e.from) ?? 0, before.has(e.from) ? Infinity : e.waiting));
  }
  return new Set([...worst].sort((a, b) => b[1] - a[1]).slice(0, most).map(([s]) => s));
}
