// @ts-check
// The keyboard: moves the focus between the map's nodes and acts on the one that has it, and on the page. What each key is
// for stands in keys.js.

import { byId } from './dom.js';
import { keyOf } from './keys.js';
import { neighbour } from './neighbour.js';
import { singles } from './singles.js';
import { offered, VERBS, Verbs } from './verbs.js';

/** @typedef {import('./keys.js').Act} Act */

/** Within this time a second R restores everything, ms. */
const SURE = 3000;
const NODES = '#cards [data-node]';
/** What takes characters for itself. */
const FIELDS = 'textarea, select, [contenteditable], input:not([type="radio"], [type="checkbox"], [type="range"])';
/** May be held down. */
const HELD = ['go', 'in', 'out'];

/** @type {Record<string, import('./neighbour.js').Way>} */
const WAYS = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' };
/** @type {Partial<Record<Act, string>>} what a click on does the same */
const BUTTONS = { feed: '#feed-pause', theme: '#theme', big: '#big', data: '#open-data', tour: '#open-tour', terms: '#tour-terms' };

export class Keyboard {
  /** @param {import('./verbs.js').Hands} hands @param {() => void} sheet opens the sheet of keys */
  constructor(hands, sheet) {
    this.hands = hands;
    this.sheet = sheet;
    /** @type {import('./world.js').World|undefined} */
    this.world = undefined;
    /** @type {HTMLElement|undefined} the one node in the tab order */
    this.current = undefined;
    /** @type {Map<string, Verbs>} by node, so that one action at a time is under way */
    this.verbs = new Map();
    this.asked = -Infinity;
    addEventListener('keydown', (e) => this.press(e));
    byId('cards').addEventListener('focusin', (e) => {
      const node = nodeAt(e.target);
      if (node) this.roam(node);
    });
  }

  /** Keeps exactly one node in the tab order. @param {import('./world.js').World} w */
  render(w) {
    this.world = w;
    for (const n of document.querySelectorAll(`${NODES}:not([tabindex])`)) /** @type {HTMLElement} */ (n).tabIndex = -1;
    if (this.current?.isConnected && this.current.checkVisibility()) return;
    const first = nodes()[0];
    if (first) this.roam(first);
  }

  /** @param {HTMLElement} node */
  roam(node) {
    if (this.current) this.current.tabIndex = -1;
    this.current = node;
    node.tabIndex = 0;
  }

  /** @param {KeyboardEvent} e */
  press(e) {
    if (e.defaultPrevented || e.isComposing || !(e.target instanceof Element)) return;
    if (e.target.closest(FIELDS) || document.querySelector('dialog:modal, :popover-open')) return;
    const k = keyOf(e, singles());
    if (!k || (e.repeat && !HELD.includes(k.act))) return;
    if (this.act(k.act, e)) e.preventDefault();
  }

  /** @param {Act} act @param {KeyboardEvent} e @returns {boolean} false: the key is the browser's */
  act(act, e) {
    switch (act) {
      case 'go': return this.go(WAYS[e.key], e.target);
      case 'inspect':
        if (e.target !== nodeAt(e.target)) return false; // a button within presses itself
        /** @type {HTMLElement} */ (e.target).click();
        return true;
      case 'search': {
        const field = document.getElementById('search');
        field?.focus();
        return field !== null;
      }
      case 'in': case 'out': case 'fit':
        byId('map').dispatchEvent(new CustomEvent('zoom', { detail: act }));
        return true;
      case 'lens':
        /** @type {HTMLElement|undefined} */ (document.querySelectorAll('#pick input')[Number(e.key) - 1])?.click();
        return true;
      case 'sheet':
        this.sheet();
        return true;
      case 'restore':
        this.restore();
        return true;
      case 'feed': case 'theme': case 'big': case 'data': case 'tour': case 'terms':
        /** @type {HTMLElement|null} */ (document.querySelector(BUTTONS[act] ?? ''))?.click();
        return true;
      default:
        this.verb(act);
        return true;
    }
  }

  /** @param {import('./neighbour.js').Way} way @param {EventTarget|null} target */
  go(way, target) {
    const from = nodeAt(target);
    // With nothing chosen the arrows scroll a page that scrolls.
    if (!from && (target !== document.body || document.documentElement.scrollHeight > innerHeight)) return false;
    const all = nodes(), i = from ? neighbour(from.getBoundingClientRect(), all.map((n) => n.getBoundingClientRect()), way) : -1;
    const to = from ? all[i] : this.current;
    if (!to) return from !== undefined;
    to.focus({ preventScroll: true });
    // Who moves the map about shows the node itself and prevents the scrolling.
    if (to.dispatchEvent(new CustomEvent('reveal', { bubbles: true, cancelable: true }))) to.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    return true;
  }

  /** Acts on the node that has the focus. @param {Act} act */
  verb(act) {
    const node = nodeAt(document.activeElement), n = this.world?.nodes.get(node?.dataset.node ?? '');
    if (!node || !n) {
      this.hands.say('choose a node first: the arrow keys go from one to the next', true);
      return;
    }
    if (act === 'more') {
      const more = [...node.querySelectorAll('.verb-more')].find((b) => nodeAt(b) === node);
      if (more) /** @type {HTMLElement} */ (more).click();
      else this.hands.say(`there is nothing more that can be done to ${n.id} now`, true);
      return;
    }
    const verb = act === 'pause' && n.state === 'paused' ? 'resume' : act;
    if (!offered(n).includes(verb)) {
      this.hands.say(refusal(n, verb), true);
      return;
    }
    let verbs = this.verbs.get(n.id);
    if (!verbs) {
      verbs = new Verbs(n.id, this.hands);
      this.verbs.set(n.id, verbs);
    }
    verbs.act(verb);
  }

  restore() {
    const b = byId('restore');
    if (b.hidden) return;
    if (performance.now() - this.asked <= SURE) {
      this.asked = -Infinity;
      b.click();
      return;
    }
    this.asked = performance.now();
    this.hands.say('R again within 3 seconds restores everything');
  }
}

/** Why a verb would do nothing. @param {import('./messages.js').Node} n @param {string} verb */
function refusal(n, verb) {
  if (!n.verbs.includes(verb)) return `${verb}: that cannot be done to ${n.id}`;
  if (!VERBS[verb].when.includes(n.state)) return `${verb} ${n.id}: it is ${n.state === 'down' ? 'dead' : n.state}`;
  return `${verb} ${n.id}: it has no faults`;
}

/** The node that an element belongs to. @param {EventTarget|null} e @returns {HTMLElement|undefined} */
const nodeAt = (e) => (e instanceof Element && /** @type {HTMLElement|null} */ (e.closest(NODES))) || undefined;

/** All nodes that can be seen; a card that is nothing but its store counts once. */
const nodes = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll(NODES)]).filter((n) => n.checkVisibility()
  && nodeAt(n.parentElement)?.dataset.node !== n.dataset.node);
