// @ts-check
// The lights of a node that runs more than once: a replica each. A light tells by colour and by shape how its replica does,
// beside it what that holds, and opens what can be done to it alone.

import { attr, el, svg, text } from './dom.js';
import { lasts } from './spoken.js';
import { offered, Verbs } from './verbs.js';
import { called, count, faults } from './words.js';

/** @typedef {import('./messages.js').Node} N */
/** @typedef {import('./messages.js').Replica} Replica */

/** So many lights are shown at most. */
export const MOST = 9;
/** With more than this they stand closer. */
const FEW = 3;

/** What is drawn upon a light, in a box of 12. @type {Record<string, string>} */
const SIGNS = { up: '', starting: '', paused: 'M4.6 3.8v4.4M7.4 3.8v4.4', dead: 'M3.9 3.9l4.2 4.2M8.1 3.9l-4.2 4.2', stopped: 'M4.4 4.4h3.2v3.2h-3.2z', unknown: 'M4 6h4' };

/** Whether a replica is silent, so that what it holds waits for another to claim it. @param {Replica} r */
const silent = (r) => r.state === 'down' || r.state === 'paused';

/** "dead for 12 seconds, holds 3 events". Pure. @param {Replica} r @param {number} now the server's clock, ms */
export function replicaWords(r, now) {
  const is = r.state === 'unknown' ? 'unknown' : `${called(r)}${lasts(r.since, now)}`;
  return `${is}${faults(r)}${r.pending > 0 ? `, holds ${count(r.pending)} ${r.pending === 1 ? 'event' : 'events'}` : ''}`;
}

/** Which have a light: all, or with too many of them those that are not up first; in their order. Pure. @param {Replica[]} all */
export function lit(all) {
  if (all.length <= MOST) return all;
  const first = [...all.filter((r) => r.state !== 'up'), ...all.filter((r) => r.state === 'up')].slice(0, MOST);
  return all.filter((r) => first.includes(r));
}

/** A node as one of its replicas is: what verbs depend on. @param {N} n @param {Replica} r @returns {N} */
export const alone = (n, r) => ({ ...n, state: r.state, since: r.since, reason: r.reason, faults: r.faults, replicas: [] });

/** What acts on each replica of a node. */
export class Ones {
  /** @param {string} id of the node @param {import('./verbs.js').Hands} hands */
  constructor(id, hands) {
    this.id = id;
    this.hands = hands;
    /** @type {Map<string, Verbs>} by replica */
    this.all = new Map();
  }

  /** @param {N} n as it is now @param {number} now the server's clock, ms */
  render(n, now) {
    const has = new Map(n.replicas.map((r) => [r.id, r]));
    for (const [id, v] of this.all) {
      if (has.has(id)) continue;
      v.node = { ...n, verbs: [] }; // to one that is gone nothing can be done
      this.all.delete(id);
    }
    for (const r of n.replicas) {
      let v = this.all.get(r.id);
      if (!v) this.all.set(r.id, (v = new Verbs(this.id, this.hands, 0, r.id)));
      v.node = alone(n, r);
      v.about = replicaWords(r, now);
    }
  }

  /** @param {string} replica @param {HTMLButtonElement} opener */
  open(replica, opener) {
    const v = this.all.get(replica);
    if (v) this.hands.more(opener, v);
  }
}

/** One light. */
class Light {
  /** @param {() => void} press */
  constructor(press) {
    this.sign = svg('path');
    this.holds = el('span', 'light-holds');
    this.root = el('button', 'light', svg('svg', { viewBox: '0 0 12 12', 'aria-hidden': 'true' }, svg('circle', { cx: 6, cy: 6, r: 5 }), this.sign), this.holds);
    this.root.type = 'button';
    this.root.addEventListener('click', () => {
      if (!this.root.dataset.opens) press();
    });
  }

  /** @param {N} n @param {Replica} r @param {number} now */
  render(n, r, now) {
    const is = called(r), acts = offered(alone(n, r)).length > 0, words = `${n.id} ${r.id}: ${replicaWords(r, now)}`;
    attr(this.root, 'data-is', is);
    attr(this.sign, 'd', SIGNS[is]);
    const holding = silent(r) && r.pending > 0, others = n.replicas.filter((x) => x !== r && silent(x) && x.pending > 0).length;
    text(this.holds, r.pending > 0 ? `${holding && others === 0 ? 'holds ' : ''}${count(r.pending)}` : ''); // the word has room but once
    this.root.classList.toggle('holding', holding);
    attr(this.root, 'aria-label', words);
    attr(this.root, 'title', `${words}${acts ? '. Press for what can be done to it alone' : ''}`);
    attr(this.root, 'aria-haspopup', acts ? 'dialog' : null);
    attr(this.root, 'data-opens', acts ? null : `node=${n.id}`); // where nothing can be done, all that is known of it
  }
}

/** The row of them on a card. */
export class Lights {
  /** @param {string} id of the node @param {import('./verbs.js').Hands} hands */
  constructor(id, hands) {
    this.ones = new Ones(id, hands);
    this.rest = el('span', 'light-rest');
    this.root = el('span', 'lights');
    this.root.hidden = true;
    /** @type {Map<string, Light>} by replica */
    this.all = new Map();
  }

  /** @param {N} n @param {number} now */
  render(n, now) {
    const some = n.replicas.length > 1 ? lit(n.replicas) : [], row = new Set(some.map((r) => r.id));
    this.root.hidden = some.length === 0;
    this.ones.render(n, now);
    for (const [id, l] of this.all) {
      if (row.has(id)) continue;
      l.root.remove();
      this.all.delete(id);
    }
    some.forEach((r, i) => {
      let l = this.all.get(r.id);
      if (!l) this.all.set(r.id, (l = new Light(() => this.ones.open(r.id, /** @type {Light} */ (this.all.get(r.id)).root))));
      l.render(n, r, now);
      if (this.root.children[i] !== l.root) this.root.insertBefore(l.root, this.root.children[i] ?? null);
    });
    this.root.classList.toggle('many', some.length > FEW);
    text(this.rest, some.length < n.replicas.length ? `+${n.replicas.length - some.length}` : '');
    if (this.rest.textContent && some.length > 0) this.root.append(this.rest);
    else this.rest.remove();
  }
}
