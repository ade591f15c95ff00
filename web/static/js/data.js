// @ts-check
// The panel of data: its views as tabs, which of them is open, and what the address says of it. A view is loaded when it is
// first opened.

import { Actions } from './actions.js';
import { dataWay, keep } from './address.js';
import { attr, byId, el, text } from './dom.js';
import { Later, styled } from './later.js';
import { say as words } from './pieces.js';

/** @typedef {import('./world.js').World} World */
/**
 * What a view is given. @typedef {{say: import('./verbs.js').Say, changed: () => void, go: (way: string, step?: boolean) => void,
 *   actions: Actions}} Hands go: to another way of this panel; actions: shared, asked for while a view is open that says so
 */
/**
 * A view of the panel. @typedef {object} View
 * @property {HTMLElement} root
 * @property {boolean} acts whether it shows actions
 * @property {(rest: string[]) => void} show it is open, with the rest of the way
 * @property {() => void} hide it is not open any more: it asks for nothing
 * @property {(w: World, now: number) => void} render called at most once in DRAWN ms while it is open
 */
/** Another view is one more line here. @type {{id: string, name: string, load: (h: Hands) => Promise<View>}[]} */
const TABS = [
  { id: 'copies', name: 'Copies', load: async (h) => new (await import('./copies.js')).Copies(h) },
  { id: 'totals', name: 'Totals', load: async (h) => new (await import('./totals.js')).Totals(h) },
  { id: 'schema', name: 'Schema', load: async (h) => new (await import('./schema.js')).Schema(h) },
  { id: 'rebuild', name: 'Rebuild', load: async (h) => new (await import('./rebuild.js')).Rebuild(h) },
  { id: 'trouble', name: 'Trouble', load: async (h) => new (await import('./trouble.js')).Trouble(h) },
  { id: 'engines', name: 'Engines', load: async (h) => new (await styled(import('./engines.js'), 'engines')).EnginesView(h) },
];
/** Drawn at most once in so many ms. */
const DRAWN = 150;
/** On screens so small it covers all. */
const SMALL = '(max-width: 999.98px)';

/** @param {string} way @returns {string[]} */
export const steps = (way) => way.split('/').map((s) => {
  try {
    return decodeURIComponent(s);
  } catch {
    return s; // a % that is none
  }
});

export class DataPanel {
  /** @param {{say: import('./verbs.js').Say, changed: () => void, opened: () => void}} on opened: told on small screens, where it is alone */
  constructor(on) {
    this.on = on;
    this.root = byId('data');
    this.body = byId('data-body');
    this.title = byId('data-title');
    this.opens = byId('open-data');
    this.large = byId('data-large');
    /** @type {HTMLElement|null} */
    this.opener = null;
    this.way = this.tab = '';
    /** Where it was when it was shut, and where each view was. */
    this.left = '';
    /** @type {Map<string, string>} */
    this.last = new Map();
    this.drawn = -Infinity;
    /** @type {View|undefined} */
    this.view = undefined;
    /** @type {Hands} */
    const hands = { say: on.say, changed: () => this.anew(), go: (way, step) => this.go(way, step), actions: new Actions(() => this.anew()) };
    this.hands = hands;
    this.views = new Map(TABS.map((t) => [t.id, new Later(`the view of ${t.name.toLowerCase()}`, () => t.load(hands), (w) => this.failed(w))]));
    this.tabs = TABS.map((t) => {
      const b = el('button', 'data-tab', t.name);
      Object.assign(b, { type: 'button', id: `data-tab-${t.id}` });
      b.setAttribute('role', 'tab');
      b.setAttribute('aria-controls', this.body.id);
      b.addEventListener('click', () => this.go(this.last.get(t.id) ?? t.id));
      return b;
    });
    byId('data-tabs').append(...this.tabs);
    byId('data-tabs').addEventListener('keydown', (e) => this.keys(e));
    byId('data-close').addEventListener('click', () => this.close());
    this.large.addEventListener('click', () => this.enlarge(!document.body.classList.contains('data-large')));
    this.root.addEventListener('keydown', (e) => this.escape(e));
    document.addEventListener('keydown', (e) => { // what is beside it closes first
      if (!document.querySelector('#inspect:not([hidden]), #cost:not([hidden])') && !document.body.classList.contains('feeds')) this.escape(e);
    });
    matchMedia(SMALL).addEventListener('change', () => this.alone());
  }

  /** @param {KeyboardEvent} e */
  escape(e) {
    if (e.key !== 'Escape' || e.defaultPrevented || !this.way || document.querySelector(':popover-open, dialog:modal')) return;
    e.preventDefault(); // one Escape closes one thing
    this.close();
  }

  /** @param {KeyboardEvent} e */
  keys(e) {
    const at = this.tabs.findIndex((b) => b === e.target), last = this.tabs.length - 1;
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[e.key];
    if (at < 0 || to === undefined) return;
    e.preventDefault();
    this.go(this.last.get(TABS[to].id) ?? TABS[to].id);
    this.tabs[to].focus();
  }

  /** @param {boolean} on */
  enlarge(on) {
    document.body.classList.toggle('data-large', on);
    text(this.large, on ? '⤡' : '⤢');
    this.large.title = on ? 'Beside the map again' : 'More room';
    attr(this.large, 'aria-pressed', String(on));
  }

  /** Opens what the address says, or shuts. */
  follow() {
    const way = dataWay();
    if (way) this.show(way);
    else if (this.way) this.hide();
  }

  /** By the reader's hand: the focus goes to it and comes back. @param {string} way '' for where it was, else what is first */
  open(way) {
    const active = /** @type {HTMLElement|null} */ (document.activeElement);
    if (!this.root.contains(active)) this.opener = active;
    this.go(way || this.way || this.left || TABS[0].id, true);
    this.title.focus({ preventScroll: true });
  }

  /** @param {string} way @param {boolean} [step] one that the browser's back undoes */
  go(way, step = false) {
    keep({ data: way }, step);
    this.show(way);
  }

  /** @param {string} way */
  show(way) {
    if (way === this.way) return;
    const [id, ...rest] = steps(way), tab = this.views.has(id) ? id : TABS[0].id;
    const shut = !this.way;
    this.way = way;
    if (shut) {
      this.root.hidden = false;
      document.body.classList.add('datas');
      attr(this.opens, 'aria-expanded', 'true');
      this.alone();
    }
    this.last.set(tab, way);
    this.tabs.forEach((b, i) => {
      attr(b, 'aria-selected', String(TABS[i].id === tab));
      b.tabIndex = TABS[i].id === tab ? 0 : -1;
    });
    if (tab !== this.tab) {
      this.tabs[TABS.findIndex((t) => t.id === tab)].scrollIntoView({ block: 'nearest', inline: 'nearest' });
      this.view?.hide();
      this.view = undefined;
      this.tab = tab;
      attr(this.body, 'aria-labelledby', `data-tab-${tab}`);
      this.body.replaceChildren(words('Looking…'));
    }
    this.views.get(tab)?.use((v) => {
      if (!this.way || this.tab !== tab) return; // the reader has gone on
      if (this.view !== v) {
        this.view = v;
        this.body.replaceChildren(v.root);
        this.body.scrollTop = 0;
        this.hands.actions.watch(v.acts);
      }
      v.show(rest);
      this.anew();
    });
    this.on.changed();
  }

  /** A view could not be loaded. @param {string} why */
  failed(why) {
    this.body.replaceChildren(words(why, 'bad'));
    this.on.say(why, true);
    this.tab = '';
    this.way = this.way && `${this.way}/`; // asked for again, it is tried again
  }

  close() {
    if (!this.way) return;
    keep({ data: '' });
    const back = this.opener?.isConnected && this.opener !== document.body ? this.opener : this.opens;
    this.hide();
    back.focus({ preventScroll: true });
  }

  hide() {
    this.left = this.way;
    this.view?.hide();
    this.hands.actions.watch(false);
    this.view = undefined;
    this.way = this.tab = '';
    this.opener = null;
    this.root.hidden = true;
    document.body.classList.remove('datas', 'data-large');
    this.enlarge(false);
    attr(this.opens, 'aria-expanded', 'false');
    this.alone();
    this.on.changed();
  }

  /** Where it covers all, nothing beneath can be reached. */
  alone() {
    const is = this.way !== '' && matchMedia(SMALL).matches;
    if (is) this.on.opened();
    for (const e of document.querySelectorAll('.top, .skip, #map > :not(#data), .side')) e.toggleAttribute('inert', is);
  }

  /** Whether it covers all that is beside it. */
  get covers() {
    return this.way !== '' && matchMedia(SMALL).matches;
  }

  /** It is drawn with the next frame. */
  anew() {
    this.drawn = -Infinity;
    this.on.changed();
  }

  /** @param {World} w @param {number} now the server's clock, ms */
  render(w, now) {
    const at = performance.now();
    if (!this.view || at - this.drawn < DRAWN) return;
    this.drawn = at;
    this.view.render(w, now);
  }
}
