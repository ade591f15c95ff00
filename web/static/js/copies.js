// @ts-check
// One thing in every store that has it, side by side and live; found by search, and changed from here.

import { get } from './api.js';
import { reason, within } from './actions.js';
import { changeForms, values } from './changing.js';
import { hits, thing } from './dataparts.js';
import { barred } from './doing.js';
import { el } from './dom.js';
import { Live } from './live.js';
import { become, say } from './pieces.js';
import { changed } from './sidebyside.js';
import { compare } from './stores.js';
import { clock } from './words.js';

/** @typedef {import('./world.js').World} World @typedef {import('./dataparts.js').Thing} Thing */

/** So many are listed; a question waits so long for the next letter; what came is called new for so long, ms. */
const LISTED = 40, LETTER = 250, NEW = 4000;

/** The kind that is shown when none was chosen: the first that can be changed, else of which there are copies. @param {World} w @param {string[]} changes kinds */
export function firstKind(w, changes) {
  const held = [...w.copies.values()], kinds = w.system.kinds.map((k) => k.id);
  return kinds.find((k) => changes.includes(k)) ?? kinds.find((k) => held.some((h) => h.kind === k && h.copy)) ?? kinds.find((k) => held.some((h) => h.kind === k)) ?? kinds[0] ?? '';
}

export class Copies {
  /** @param {import('./data.js').Hands} hands */
  constructor(hands) {
    this.hands = hands;
    this.acts = true;
    this.kind = this.id = this.q = '';
    /** @type {import('./dataparts.js').Hit[]|undefined} */
    this.found = undefined;
    this.more = false;
    this.failed = '';
    /** @type {Thing|undefined} */
    this.thing = undefined;
    this.live = false;
    this.heard = NaN;
    /** When a store's copy was seen to change, by node. @type {Map<string, number>} */
    this.came = new Map();
    /** @type {Live|undefined} */
    this.stream = undefined;
    this.timer = this.asked = 0;
    /** The thing's name is to have the focus once it stands. */
    this.focus = false;
    this.search = el('input', 'copies-search');
    Object.assign(this.search, { type: 'search', placeholder: 'id or name', autocomplete: 'off', spellcheck: false });
    this.search.setAttribute('aria-label', 'Search by id or name');
    this.kinds = el('div', 'kinds');
    this.kinds.setAttribute('role', 'group');
    this.kinds.setAttribute('aria-label', 'Kind of data');
    this.part = el('div', 'copies-part');
    this.root = el('div', 'copies', el('div', 'copies-top', this.kinds, this.search), this.part);
    this.part.append(el('div'));
    this.kinds.append(el('div'));
    this.search.addEventListener('input', () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        this.q = this.search.value.trim();
        const listed = !this.id;
        this.hands.go(`copies/${encodeURIComponent(this.kind)}`);
        if (listed) this.list();
      }, LETTER);
    });
    this.root.addEventListener('click', (e) => this.press(/** @type {Element} */ (e.target)));
    this.root.addEventListener('submit', (e) => this.change(e));
    this.root.addEventListener('input', (e) => /** @type {HTMLElement} */ (e.target).closest('.change') && this.hands.changed());
  }

  /** @param {string[]} rest kind and id */
  show([kind = '', id = '']) {
    if (kind === this.kind && id === this.id && (this.stream || !id)) return;
    if (kind !== this.kind) {
      this.found = undefined;
      this.search.value = this.q = '';
    }
    this.leave();
    for (const a of this.hands.actions.of('change')) this.hands.actions.said.delete(a.id); // it was of the last one
    this.part.replaceChildren(el('div')); // what was written into the last one's fields goes with it
    Object.assign(this, { kind, id, failed: '' });
    if (kind && id) this.watch();
    else if (kind) this.list();
  }

  hide() {
    clearTimeout(this.timer);
    this.leave();
    this.id = '';
  }

  leave() {
    this.stream?.close();
    this.stream = this.thing = undefined;
    this.live = false;
    this.came.clear();
  }

  async list() {
    const mine = ++this.asked, { kind, q } = this;
    try {
      const r = hits(await within((s) => get(`/api/v1/copies/${encodeURIComponent(kind)}?q=${encodeURIComponent(q)}&limit=${LISTED}`, s)));
      if (mine !== this.asked) return;
      Object.assign(this, { found: r.hits, more: r.more, failed: '' });
    } catch (e) {
      if (mine !== this.asked) return;
      Object.assign(this, { found: undefined, failed: `They cannot be listed: ${reason(e)}.` });
    }
    this.hands.changed();
  }

  watch() {
    const path = `/api/v1/copies/${encodeURIComponent(this.kind)}/${encodeURIComponent(this.id)}`;
    const mine = this.stream = new Live(`${path}/live`, {
      data: (text) => this.stream === mine && this.take(text),
      is: (live) => {
        if (this.stream !== mine) return;
        this.live = live;
        if (!live) this.once(path, mine); // it may say why
        this.hands.changed();
      },
    });
    this.once(path, mine);
  }

  /** @param {string} path @param {Live} mine */
  async once(path, mine) {
    try {
      const text = await within((s) => get(path, s));
      if (this.stream === mine && !this.live) this.take(text);
    } catch (e) {
      if (this.stream !== mine) return;
      this.failed = `${this.thing ? `What is shown is from ${clock(this.heard)}` : 'It cannot be shown'}: ${reason(e)}.`;
      this.hands.changed();
    }
  }

  /** @param {string} text */
  take(text) {
    try {
      const t = thing(text), now = performance.now();
      for (const node of changed(this.thing?.records ?? [], t.records)) this.came.set(node, now);
      Object.assign(this, { thing: t, failed: '', heard: Date.now() });
      if (this.came.size > 0) setTimeout(() => this.hands.changed(), NEW + 50);
    } catch (e) {
      this.failed = `The newest cannot be shown: ${reason(e)}.`;
    }
    this.hands.changed();
  }

  /** @param {Element} on */
  press(on) {
    const b = /** @type {HTMLElement|null} */ (on.closest('[data-act]'));
    if (b?.dataset.act !== 'kind' && b?.dataset.act !== 'thing') return;
    this.hands.go(b.dataset.act === 'kind' ? `copies/${encodeURIComponent(b.dataset.arg ?? '')}` : `copies/${encodeURIComponent(this.kind)}/${encodeURIComponent(b.dataset.arg ?? '')}`, true);
    if (b.dataset.act === 'thing') this.focus = true;
  }

  /** @param {SubmitEvent} e */
  change(e) {
    e.preventDefault();
    const form = /** @type {HTMLFormElement} */ (e.target), a = this.hands.actions.all?.find((x) => x.id === form.dataset.action);
    if (!a || this.hands.actions.busy.has(a.id)) return;
    const v = values(a, form);
    if (typeof v === 'string') {
      this.hands.actions.said.set(a.id, { words: `✕ ${v}`, bad: true });
      this.hands.changed();
    } else this.hands.actions.run(a.id, { id: this.id, values: v });
  }

  /** @param {World} w */
  render(w) {
    const changes = this.hands.actions.of('change');
    if (!this.kind && w.system.kinds.length > 0 && (this.hands.actions.all || this.hands.actions.failed)) {
      this.hands.go(`copies/${encodeURIComponent(firstKind(w, changes.map((a) => a.kind)))}`);
      return;
    }
    become(/** @type {ChildNode} */ (this.kinds.firstChild), el('div', 'kinds-row', ...w.system.kinds.map((k) => {
      const b = el('button', 'kind', k.name);
      b.type = 'button';
      Object.assign(b.dataset, { act: 'kind', arg: k.id });
      b.setAttribute('aria-pressed', String(k.id === this.kind));
      return b;
    })));
    const name = w.system.kinds.find((k) => k.id === this.kind)?.name ?? this.kind, mine = changes.filter((a) => a.kind === this.kind);
    const view = el('div', '', ...(this.failed ? [el('p', 'notice warned', this.failed)] : []), ...(this.id ? this.one(w, mine) : this.all(name)));
    become(/** @type {ChildNode} */ (this.part.firstChild), view);
    this.pulse();
    const h = this.focus && this.part.querySelector('h3');
    if (h) h.focus({ preventScroll: true });
    if (h) this.focus = false;
  }

  /** @param {string} name of the kind */
  all(name) {
    if (!this.found) return this.failed ? [] : [say('Looking…')];
    if (this.found.length === 0) return [say(this.q ? `None of the ${name} has “${this.q}” in its id or name.` : `The owner has no ${name} yet.`)];
    return [el('ul', 'hits', ...this.found.map((h) => {
      const b = el('button', 'found', el('b', '', h.id), el('span', '', h.label), el('span', 'found-version', h.version > 0 ? `v${h.version}` : ''));
      b.type = 'button';
      Object.assign(b.dataset, { act: 'thing', arg: h.id });
      return el('li', '', b);
    })), ...(this.more ? [say('There are more: search for one.')] : [])];
  }

  /** @param {World} w @param {import('./dataparts.js').Action[]} changes */
  one(w, changes) {
    const h = el('h3', 'thing-name', `${this.id}`), t = this.thing, owner = t?.records[0];
    h.tabIndex = -1;
    const head = el('div', 'thing-head', h, el('span', `live ${this.live ? 'good' : 'warned'}`, this.live ? '● live' : '◌ not live now'));
    if (!t) return [head, ...(this.failed ? [] : [say('Looking…')])];
    const none = barred(w, this.hands.actions.all);
    const fresh = new Set([...this.came].filter(([, at]) => performance.now() - at < NEW).map(([node]) => node));
    return [head, ...(none && changes.length > 0 ? [el('p', 'notice', none)] : changeForms(changes, owner, this.hands.actions, this.part)), compare(t, w, fresh)];
  }

  /** What came anew is lit once; who wants less motion has the word alone. */
  pulse() {
    const less = matchMedia('(prefers-reduced-motion: reduce)').matches;
    for (const [node, at] of this.came) {
      if (performance.now() - at >= NEW) this.came.delete(node);
      if (less) continue;
      for (const td of this.part.querySelectorAll(`[data-of="${CSS.escape(node)}"]:not([data-lit="${at}"])`)) {
        /** @type {HTMLElement} */ (td).dataset.lit = String(at);
        td.animate([{ boxShadow: 'inset 0 0 0 99px color-mix(in srgb, var(--accent) 45%, transparent)' }, { boxShadow: 'inset 0 0 0 99px transparent' }], { duration: 900, easing: 'ease-out' });
      }
    }
  }
}
