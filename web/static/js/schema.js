// @ts-check
// The shape of an owner's data, changed while all runs and changed back: which is in force, how far a change is, and what
// becomes of those who read it.

import { get } from './api.js';
import { reason, within } from './actions.js';
import { hits, thing } from './dataparts.js';
import { above, doing } from './doing.js';
import { el } from './dom.js';
import { become, link, say } from './pieces.js';
import { and, clock } from './words.js';

/** @typedef {import('./dataparts.js').Action} Action @typedef {import('./world.js').World} World */
/** What the owner has now, by an example. @typedef {{id: string, fields: string[], at: number, failed: string}} Shape */

/** Between two looks at an owner's record, ms. */
const PACE = 2500;

/** The action whose shape is in force, as far as jobs say: the one that was done last; undefined where none was, or one is under way. @param {Action[]} all of one node */
export function inForce(all) {
  if (all.some((a) => a.progress?.state === 'running')) return undefined;
  return all.filter((a) => a.progress?.state === 'done').sort((a, b) => (b.progress?.ended ?? 0) - (a.progress?.ended ?? 0))[0];
}

/** The kind that a node's schema is of. @param {Action} a @param {World} w */
const kindOf = (a, w) => a.kind || [...w.nodes.values()].find((n) => n.owner === a.node && n.holds.some((h) => !h.copy))?.holds.find((h) => !h.copy)?.kind || '';

/** How the features do in a pattern: "3 of 6 fail". @param {World} w @param {string} pattern */
export function fares(w, pattern) {
  const cells = [...w.cells.values()].filter((c) => c.pattern === pattern && c.state !== 'untried'), fail = cells.filter((c) => c.state === 'fails').length;
  return cells.length === 0 ? { words: 'not tried', bad: false } : fail === 0 ? { words: '✓ all works', bad: false } : { words: `✕ ${fail} of ${cells.length} fail`, bad: true };
}

export class Schema {
  /** @param {import('./data.js').Hands} hands */
  constructor(hands) {
    this.hands = hands;
    this.acts = true;
    /** @type {Map<string, Shape>} by kind */
    this.shapes = new Map();
    /** Kinds to look at. @type {string[]} */
    this.kinds = [];
    this.timer = 0;
    this.looking = false;
    this.root = el('div', 'schema', el('div'));
    this.root.addEventListener('click', (e) => {
      const b = /** @type {HTMLElement|null} */ (/** @type {Element} */ (e.target).closest('[data-act="run"]'));
      if (b && b.getAttribute('aria-disabled') !== 'true') hands.actions.run(b.dataset.arg ?? '');
    });
  }

  show() {
    if (this.timer) return;
    this.timer = setInterval(() => this.look(), PACE);
    this.look();
  }

  hide() {
    clearInterval(this.timer);
    this.timer = 0;
  }

  /** Looks at one record of each owner. */
  async look() {
    if (document.hidden || this.looking) return;
    this.looking = true;
    for (const kind of this.kinds) {
      const old = this.shapes.get(kind), path = `/api/v1/copies/${encodeURIComponent(kind)}`;
      try {
        const first = hits(await within((s) => get(`${path}?limit=1`, s))).hits[0];
        const own = first && thing(await within((s) => get(`${path}/${encodeURIComponent(first.id)}`, s))).records[0];
        if (own?.why) throw new Error(own.why);
        this.shapes.set(kind, { id: first?.id ?? '', fields: own ? shapeOf(own) : [], at: Date.now(), failed: own ? '' : 'it has none yet' });
      } catch (e) {
        this.shapes.set(kind, { id: old?.id ?? '', fields: old?.fields ?? [], at: old?.at ?? NaN, failed: reason(e) });
      }
      this.hands.changed();
    }
    this.looking = false;
  }

  /** @param {World} w */
  render(w) {
    const { actions } = this.hands, all = actions.of('schema'), nodes = [...new Set(all.map((a) => a.node))];
    const kinds = nodes.map((n) => kindOf(/** @type {Action} */ (all.find((a) => a.node === n)), w)).filter(Boolean);
    if (kinds.join() !== this.kinds.join()) {
      this.kinds = kinds;
      this.look();
    }
    become(/** @type {ChildNode} */ (this.root.firstChild), el('div', '', ...above(actions, w),
      ...(actions.all || actions.failed ? [] : [say('Looking…')]), ...(actions.all && all.length === 0 ? [say('This system offers no change of a schema.')] : []),
      ...(all.length > 0 ? [this.watch(w)] : []), el('div', 'owners', ...nodes.map((n) => this.owner(n, all.filter((a) => a.node === n), w)))));
  }

  /** What is to be looked at. @param {World} w */
  watch(w) {
    const reach = w.system.patterns.filter((p) => p.reaches), rest = w.system.patterns.filter((p) => !p.reaches);
    return el('section', 'watching', el('p', 'words strong', reach.length > 0 ? `Who reads the owner's tables knows only the old shape: ${and(reach.map((p) => p.name))} fails at once. The others go on: the owner answers as before, and publishes each change in the old shape and in the new one.`
      : 'The owner answers as before, and publishes each change in the old shape and in the new one.'),
    el('ul', 'fares', ...[...reach, ...rest].map((p) => {
      const f = fares(w, p.id);
      return el('li', f.bad ? 'bad' : '', el('span', '', p.name), el('b', '', f.words));
    })));
  }

  /** @param {string} node @param {Action[]} all @param {World} w */
  owner(node, all, w) {
    const now = inForce(all), kind = kindOf(all[0], w), shape = this.shapes.get(kind), name = w.system.kinds.find((k) => k.id === kind)?.name ?? kind;
    const running = all.find((a) => a.progress?.state === 'running');
    return el('section', 'owner', el('h3', '', link('node', node), name ? ` · ${name}` : ''),
      el('p', 'words strong', running ? `◌ under way: ${running.name}` : now ? `● in force: the shape after “${now.name}”` : 'No change of its shape was made since it started.'),
      ...(shape ? [el('div', 'shape', el('p', 'words', shape.id ? el('span', '', `${shape.id} as it is kept${Number.isNaN(shape.at) ? '' : ` at ${clock(shape.at)}`} `) : '', ...(shape.id ? [seeAll(kind, shape.id)] : [])),
        el('p', 'columns', ...shape.fields.map((f) => el('code', '', f))), ...(shape.failed ? [say(`It cannot be looked at now: ${shape.failed}`, 'warn')] : []))] : []),
      ...all.map((a) => doing(a, this.hands.actions, w)));
  }
}

/** The names that the store itself has, where its form tells them; else those that are compared. @param {import('./dataparts.js').Copy} c */
export function shapeOf(c) {
  try {
    const o = JSON.parse(c.raw);
    if (o && typeof o === 'object' && !Array.isArray(o)) return Object.keys(o);
  } catch { /* its form is another */ }
  const lines = c.raw.split('\n').flatMap((l) => /^([\w.-]+):(?:\s|$)/.exec(l)?.[1] ?? []);
  return lines.length > 0 ? lines : c.fields.map((f) => f.name);
}

/** @param {string} kind @param {string} id */
export function seeAll(kind, id) {
  const a = el('a', 'go', 'see it side by side'), way = `copies/${encodeURIComponent(kind)}/${encodeURIComponent(id)}`;
  a.href = `#data=${encodeURIComponent(way).replaceAll('%2F', '/')}`;
  a.dataset.opens = `data=${way}`;
  return a;
}
