// @ts-check
// The side panel: whatever was clicked on the map or in the list, in full. It asks the server at most once a second while
// something of it changes; an answer that does not come is said and asked for again.

import { keep, KINDS, opened } from './address.js';
import { get, post } from './api.js';
import { byId, el, text } from './dom.js';
import { deadView, LETTERS } from './deadview.js';
import { eventView, rawText, settled } from './eventview.js';
import { Log } from './log.js';
import { FrameError } from './parse.js';
import { become, say as words } from './pieces.js';
import { Ones } from './replicas.js';
import { deadReply, edgeReply, eventReply, nodeReply, sentReply, streamReply } from './replies.js';
import { busView, edgeHead, edgeView, nodeHead, nodeView, streamView } from './views.js';
import { count } from './words.js';

/** @typedef {import('./world.js').World} World */
/** @typedef {import('./address.js').Kind} Kind */

/** At most one question in so many ms; the first and the longest wait after one that failed; an answer has to come by then. */
const PACE = 1000, FIRST = 1000, MOST = 8000, WITHIN = 8000;
/** Drawn at most once in so many ms. */
const DRAWN = 200;

/** What of the world a view shows: while these are the same objects, nothing of it changed.
 * @param {World} w @param {Kind} kind @param {string} id @returns {unknown[]} */
export function parts(w, kind, id) {
  const edges = [...w.edges.values()];
  switch (kind) {
    case 'node': return [w.nodes.get(id), ...edges.filter((e) => e.from === id || e.to === id), ...[...w.nodes.values()].filter((n) => n.owner === id)];
    case 'stream': return [w.streams.get(id), ...edges.filter((e) => (e.kind === 'take' && e.from === id) || (e.kind === 'emit' && e.to === id))];
    case 'edge': return [w.edges.get(id)];
    case 'event': return edges.filter((e) => e.kind === 'take');
    default: return edges.filter((e) => e.kind === 'take').map((e) => e.dead);
  }
}

/** What of the map belongs to what is open. @typedef {{nodes: Set<string>, edges: Set<string>, lanes: Set<string>}} Path */

/** The way of an event, of a stream's or of a connection; undefined where all of the map stays strong.
 * @param {World} w @param {string} stream @param {string} node that emitted it; '' for all who do @returns {Path} */
export function pathOf(w, stream, node) {
  const p = { nodes: new Set(node ? [node] : []), edges: /** @type {Set<string>} */ (new Set()), lanes: new Set([stream]) };
  for (const e of w.edges.values()) {
    if (e.kind === 'take' && e.from === stream) p.nodes.add(e.to);
    else if (e.kind === 'emit' && e.to === stream && (!node || e.from === node)) p.nodes.add(e.from);
    else continue;
    p.edges.add(e.id);
  }
  for (const n of w.nodes.values()) if (n.kind === 'bus') p.nodes.add(n.id);
  return p;
}

export class Inspector {
  /** @param {{changed: () => void, opened: () => void, hands: import('./verbs.js').Hands}} on opened: another panel has to close */
  constructor(on) {
    this.on = on;
    this.root = byId('inspect');
    this.kindSay = byId('inspect-kind');
    this.title = byId('inspect-title');
    this.line = byId('inspect-say');
    this.body = byId('inspect-body');
    this.log = new Log();
    this.body.after(this.log.root);
    /** @type {Ones|undefined} what acts on the replicas of the node that is open */
    this.ones = undefined;
    this.kind = /** @type {Kind|''} */ ('');
    this.id = '';
    /** @type {HTMLElement|null} */
    this.opener = null;
    /** @type {AbortController|undefined} */
    this.request = undefined;
    /** @type {any} the last answer, of the kind that is open */
    this.reply = undefined;
    /** @type {unknown[]|undefined} what the world was when it was asked for */
    this.seen = undefined;
    this.failed = '';
    this.wait = FIRST;
    this.asked = this.drawn = -Infinity;
    this.due = 0;
    byId('inspect-close').addEventListener('click', () => this.close());
    this.root.addEventListener('click', (e) => this.act(e));
    document.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape' || e.defaultPrevented || !this.kind || document.querySelector(':popover-open')) return;
      e.preventDefault(); // one Escape closes one thing
      this.close();
    });
  }

  forget() {
    this.request?.abort();
    this.request = this.reply = this.seen = undefined;
    Object.assign(this, { failed: '', wait: FIRST, asked: -Infinity, due: 0, drawn: -Infinity });
  }

  /** Opens what the address says. */
  follow() {
    const found = opened();
    if (found) this.show(...found);
    else if (this.kind) this.hide();
  }

  /** Opens by the reader's hand: the focus goes to it and comes back. @param {Kind} kind @param {string} id */
  open(kind, id) {
    const active = /** @type {HTMLElement|null} */ (document.activeElement);
    if (!this.root.contains(active)) this.opener = active;
    if (this.kind !== kind || this.id !== id) {
      keep({ ...Object.fromEntries(KINDS.map((k) => [k, ''])), [kind]: id }, true);
      this.show(kind, id);
    }
    this.title.focus({ preventScroll: true });
  }

  /** @param {Kind} kind @param {string} id */
  show(kind, id) {
    if (this.kind === kind && this.id === id) return;
    this.on.opened();
    this.forget();
    this.mark(false);
    Object.assign(this, { kind, id });
    this.root.hidden = false;
    this.root.dataset.kind = kind;
    this.ones = kind === 'node' ? new Ones(id, this.on.hands) : undefined;
    this.log.of(kind === 'node' ? id : '');
    document.body.classList.add('inspects');
    this.body.replaceChildren(el('div', '', words('Looking…')));
    this.root.scrollTop = 0;
    this.on.changed();
  }

  close() {
    if (!this.kind) return;
    keep(Object.fromEntries(KINDS.map((k) => [k, ''])));
    const back = this.opener?.isConnected && this.opener !== document.body ? this.opener
      : document.querySelector(`#cards [data-node="${CSS.escape(this.id)}"], #events tr[tabindex="0"]`);
    this.hide();
    /** @type {HTMLElement|null} */ (back)?.focus({ preventScroll: true });
  }

  hide() {
    this.forget();
    this.mark(false);
    this.kind = this.id = '';
    this.log.of('');
    this.opener = null;
    this.root.hidden = true;
    document.body.classList.remove('inspects');
    this.on.changed();
  }

  /** Marks on the map what is open. @param {boolean} is */
  mark(is) {
    if (this.kind === 'node') document.querySelector(`#cards [data-node="${CSS.escape(this.id)}"]`)?.classList.toggle('opened', is);
  }

  /** @param {World} w @returns {Path|undefined} */
  path(w) {
    if (this.kind === 'stream') return pathOf(w, this.id, '');
    if (this.kind === 'event') return this.reply ? pathOf(w, this.reply.stream, this.reply.node) : undefined;
    const e = this.kind === 'edge' ? w.edges.get(this.id) : undefined;
    if (!e) return undefined;
    const nodes = e.kind === 'emit' ? [e.from] : e.kind === 'take' ? [e.to] : [e.from, e.to];
    return { nodes: new Set(nodes), edges: new Set([e.id]), lanes: new Set(e.kind === 'emit' ? [e.to] : e.kind === 'take' ? [e.from] : []) };
  }

  /** The connection is back: what failed is asked for at once. */
  retry() {
    this.due = 0;
    this.seen = undefined;
  }

  /** @param {World} w @param {number} now the server's clock, ms */
  render(w, now) {
    if (!this.kind) return;
    this.ask(w);
    const { kind, id, reply: r } = this, c = { w, now }, at = performance.now();
    if (at - this.drawn < DRAWN) return; // frames come faster than anybody reads
    this.drawn = at;
    this.mark(true);
    const node = kind === 'node' ? w.nodes.get(id) : undefined, edge = kind === 'edge' ? w.edges.get(id) : undefined;
    if (node) this.ones?.render(node, now);
    text(this.kindSay, { node: node?.kind ?? 'node', stream: w.streams.get(id)?.dead ? 'dead letter stream' : 'stream', edge: 'connection', event: `event${r ? ` on ${r.stream}` : ''}`, dead: 'dead letters' }[kind]);
    text(this.title, kind === 'edge' && edge ? `${edge.from} → ${edge.to}` : kind === 'event' ? r ? r.type || 'event without a type' : id : id);
    text(this.line, this.failed);
    /** @type {(HTMLElement|string)[]} */
    const view = [...(node ? nodeHead(node, c) : edge ? edgeHead(edge) : []), ...(node?.kind === 'bus' ? busView(w) : [])];
    if (r) {
      view.push(...(kind === 'node' ? nodeView(r, c) : kind === 'stream' ? streamView(r, c) : kind === 'edge' ? edgeView(r) : kind === 'event' ? eventView(r, w) : deadView(r, now)));
    } else if (!this.failed) view.push(words('Looking…'));
    become(/** @type {ChildNode} */ (this.body.firstChild), el('div', '', ...view));
  }

  /** Asks where something changed, or the last question failed and its time has come. @param {World} w */
  async ask(w) {
    const at = performance.now(), kind = /** @type {Kind} */ (this.kind), id = this.id;
    if (this.request || at < this.due || at - this.asked < PACE) return;
    const now = parts(w, kind, id);
    if (this.seen && !this.failed && (same(now, this.seen) || (kind === 'event' && this.reply && settled(this.reply)))) return;
    this.asked = at;
    this.seen = now;
    const mine = new AbortController(), e = encodeURIComponent(id);
    this.request = mine;
    const late = setTimeout(() => mine.abort(new Error(`no answer for ${WITHIN / 1000} s`)), WITHIN);
    /** @type {(path: string) => Promise<string>} */
    const read = (path) => get(path, mine.signal);
    try {
      const r = kind === 'node' ? nodeReply(await read(`/api/v1/nodes/${e}`)) : kind === 'stream' ? streamReply(await read(`/api/v1/streams/${e}`))
        : kind === 'edge' ? edgeReply(await read(`/api/v1/edges/${e}`)) : kind === 'event' ? eventReply(await read(`/api/v1/events/${e}`))
          : deadReply(await read(`/api/v1/deadletters?stream=${e}&limit=${LETTERS}`));
      if (this.request !== mine) return;
      Object.assign(this, { reply: r, failed: '', wait: FIRST });
    } catch (x) {
      if (this.request !== mine) return; // another thing is open
      const why = mine.signal.aborted ? mine.signal.reason : x;
      this.failed = `${this.reply ? 'What is shown is not new' : 'It cannot be shown'}: ${why instanceof FrameError ? 'the answer was not understood: ' : ''}${why instanceof Error ? why.message : why}. Trying again in ${Math.round(this.wait / 1000)} s.`;
      this.due = performance.now() + this.wait;
      this.wait = Math.min(MOST, this.wait * 2);
    } finally {
      clearTimeout(late);
      if (this.request === mine) {
        this.request = undefined;
        this.drawn = -Infinity;
        this.on.changed();
      }
    }
  }

  /** Buttons within. @param {MouseEvent} e */
  async act(e) {
    const b = /** @type {HTMLElement|null} */ (/** @type {Element} */ (e.target).closest('[data-act]'));
    if (!b || b.getAttribute('aria-disabled') === 'true') return;
    if (b.dataset.act === 'copy') return this.copy(b);
    if (b.dataset.act === 'replica') return this.ones?.open(b.dataset.arg ?? '', /** @type {HTMLButtonElement} */ (b));
    const [stream, entry = ''] = (b.dataset.arg ?? '').split('/');
    b.setAttribute('aria-disabled', 'true');
    try {
      const { sent } = sentReply(await post(`/api/v1/deadletters/${encodeURIComponent(stream)}/${entry ? `${encodeURIComponent(entry)}/` : ''}resend`));
      this.on.hands.say(sent > 0 ? `${count(sent)} ${sent === 1 ? 'event was' : 'events were'} sent again` : 'nothing was left to send again');
    } catch (x) {
      this.on.hands.say(`send again: ${x instanceof Error ? x.message : x}`, true);
    } finally {
      b.removeAttribute('aria-disabled');
      this.retry();
      this.on.changed();
    }
  }

  /** @param {HTMLElement} b */
  async copy(b) {
    const from = /** @type {HTMLElement} */ (b.parentElement?.querySelector('pre'));
    try {
      await navigator.clipboard.writeText(this.kind === 'event' ? rawText(this.reply.raw) : from.innerText);
      this.on.hands.say('copied');
    } catch {
      getSelection()?.selectAllChildren(from); // no clipboard without a secure origin
      this.on.hands.say('it is marked: copy it with Ctrl+C');
    }
  }
}

/** @param {unknown[]} a @param {unknown[]} b */
const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);

