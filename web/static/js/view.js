// @ts-check
// Pans and zooms the map by transforms alone: wheel, drag, two fingers, buttons and keys. Until somebody does, all of the map
// is shown, whatever the room; then what is in the middle stays there. Kept over a reload.

import { byId, text } from './dom.js';
import { centre, centred, fitted, held, zoomed } from './zoom.js';

/** @typedef {import('./zoom.js').View} Window */

/** A button's or key's step, and what a movement must exceed to be a drag, pixels. */
const STEP = 1.3, SLIP = 4;
/** Below this scale cards show only name, state and drum; small cards sooner. */
const FAR = { card: 0.6, compact: 0.8 };
const KEY = 'stillup-view';

export class View {
  /**
   * @param {HTMLElement} room @param {HTMLElement} stage
   * @param {(v: Window, width: number, height: number, top: number) => void} shown the canvas's part: its size, and where it begins
   */
  constructor(room, stage, shown) {
    this.room = room;
    this.stage = stage;
    this.shown = shown;
    /** @type {Window} */
    this.at = { k: 1, x: 0, y: 0 };
    /** @type {import('./layout.js').Layout|undefined} */
    this.map = undefined;
    this.size = { width: 0, height: 0 };
    /** The page scrolls, the room is as high as the map needs. */
    this.free = false;
    this.fits = true;
    this.name = '';
    this.level = byId('zoom-level');
    /** A drag has just ended: the click that comes of it is none. */
    this.dragged = false;
    byId('zoom-in').addEventListener('click', () => this.by(STEP));
    byId('zoom-out').addEventListener('click', () => this.by(1 / STEP));
    byId('zoom-fit').addEventListener('click', () => this.fit());
    this.listen();
  }

  /** Room that a layout has: height 0 where the page scrolls. */
  measure() {
    const free = matchMedia('(max-width: 999.98px)').matches;
    return { width: this.room.clientWidth, height: free ? 0 : this.room.clientHeight };
  }

  /** Shows another layout, or the same in another room. @param {import('./layout.js').Layout} map @param {string} name of the system */
  show(map, name) {
    const space = this.measure(), first = !this.map || this.map.tall !== map.tall || this.name !== name;
    const middle = first ? undefined : centre(this.at, this.size);
    const all = fitted(map, space);
    this.free = space.height === 0;
    this.room.style.minHeight = this.free ? `${Math.ceil(map.height * all.k)}px` : '';
    this.size = { width: space.width, height: this.free ? Math.ceil(map.height * all.k) : space.height };
    this.map = map;
    this.name = name;
    if (first) {
      const kept = restore(name, map.tall);
      this.fits = !kept;
      if (kept) this.at = held(centred(kept.k, kept.x, kept.y, this.size), map, this.size);
    } else if (!this.fits && middle) {
      this.at = centred(this.at.k, middle.x, middle.y, this.size);
    }
    if (this.fits) this.at = all;
    this.render();
  }

  /** All of the map again. */
  fit() {
    if (!this.map) return;
    this.fits = true;
    this.at = fitted(this.map, this.free ? { width: this.size.width, height: 0 } : this.size);
    this.keep();
    this.render();
  }

  /** @param {number} factor @param {number} [px] @param {number} [py] of the room: what stands still */
  by(factor, px = this.size.width / 2, py = this.size.height / 2) {
    if (this.map) this.go(zoomed(this.at, factor, px, py, fitted(this.map, this.size).k));
  }

  /** A point of the map into the middle. @param {{x: number, y: number, w: number, h: number}} box @param {number} [least] scale at least */
  centre(box, least = this.at.k) {
    this.go(centred(Math.max(this.at.k, least), box.x + box.w / 2, box.y + box.h / 2, this.size));
    if (this.free) this.room.scrollIntoView({ block: 'nearest' });
  }

  /** @param {Window} v */
  go(v) {
    if (!this.map) return;
    this.fits = false;
    this.at = held(v, this.map, this.size);
    this.keep();
    this.render();
  }

  keep() {
    const { at, map } = this;
    if (!map) return;
    const c = centre(at, this.size);
    try {
      if (this.fits) sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, JSON.stringify({ name: this.name, tall: map.tall, k: at.k, x: c.x, y: c.y }));
    } catch { /* storage is switched off: it holds until the page is left */ }
  }

  render() {
    const { at, stage, map } = this;
    if (!map) return;
    stage.style.transform = `translate(${at.x}px, ${at.y}px) scale(${at.k})`;
    stage.classList.toggle('far', !map.tall && at.k < (map.compact ? FAR.compact : FAR.card));
    // Names and rates of the lanes stay in sight at the room's sides.
    const over = -at.x / at.k, right = (this.size.width - at.x) / at.k - map.width;
    stage.style.setProperty('--left', `${map.tall ? 0 : Math.max(0, Math.min(over, map.width / 2))}px`);
    stage.style.setProperty('--right', `${map.tall ? 0 : Math.min(0, Math.max(right, -map.width / 2))}px`);
    text(this.level, `${Math.round(at.k * 100)} %`);
    this.window();
  }

  /** The canvas covers what is seen of the room. */
  window() {
    const { width, height } = this.size, seen = Math.min(height, innerHeight);
    const top = this.free ? Math.min(height - seen, Math.max(0, -this.room.getBoundingClientRect().top)) : 0;
    this.shown(this.at, width, seen, top);
  }

  /** A point of the window in units of the map. @param {{clientX: number, clientY: number}} e */
  point(e) {
    const r = this.room.getBoundingClientRect();
    return { x: (e.clientX - r.left - this.at.x) / this.at.k, y: (e.clientY - r.top - this.at.y) / this.at.k };
  }

  listen() {
    const { room } = this;
    addEventListener('scroll', () => this.free && this.window(), { passive: true });
    room.addEventListener('wheel', (e) => {
      if (this.free && !e.ctrlKey) return; // the page scrolls
      e.preventDefault();
      const r = room.getBoundingClientRect(), turn = e.deltaY * (e.deltaMode === 1 ? 16 : 1) * (e.ctrlKey ? 3 : 1);
      this.by(Math.exp(-Math.max(-240, Math.min(240, turn)) * 0.0018), e.clientX - r.left, e.clientY - r.top);
    }, { passive: false });
    this.drag();
    this.pinch();
    room.closest('#map')?.addEventListener('zoom', (e) => { // as keys do
      const how = /** @type {CustomEvent<string>} */ (e).detail;
      if (room.hidden) return;
      if (how === 'fit') this.fit();
      else this.by(how === 'in' ? STEP : 1 / STEP);
    });
  }

  drag() {
    const { room } = this;
    let id = -1, x = 0, y = 0, moved = false;
    room.addEventListener('pointerdown', (e) => {
      this.dragged = false;
      const on = /** @type {Element} */ (e.target);
      if (e.button !== 0 || (e.pointerType === 'touch' && this.free) || e.altKey || on.closest('.card, .bus, button')) return;
      [id, x, y, moved] = [e.pointerId, e.clientX, e.clientY, false];
    });
    room.addEventListener('pointermove', (e) => {
      if (e.pointerId !== id) return;
      if (!moved && Math.hypot(e.clientX - x, e.clientY - y) < SLIP) return;
      if (!moved) room.setPointerCapture(id);
      moved = true;
      room.classList.add('grabbed');
      this.go({ ...this.at, x: this.at.x + e.clientX - x, y: this.at.y + e.clientY - y });
      [x, y] = [e.clientX, e.clientY];
    });
    for (const end of /** @type {const} */ (['pointerup', 'pointercancel'])) {
      room.addEventListener(end, (e) => {
        if (e.pointerId !== id) return;
        this.dragged = moved;
        id = -1;
        room.classList.remove('grabbed');
      });
    }
  }

  pinch() {
    const { room } = this;
    let far = 0, x = 0, y = 0;
    const read = (/** @type {TouchEvent} */ e) => {
      const [a, b] = e.touches, r = room.getBoundingClientRect();
      return { far: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), x: (a.clientX + b.clientX) / 2 - r.left, y: (a.clientY + b.clientY) / 2 - r.top };
    };
    room.addEventListener('touchstart', (e) => {
      if (e.touches.length !== 2) return;
      e.preventDefault();
      ({ far, x, y } = read(e));
    }, { passive: false });
    room.addEventListener('touchmove', (e) => {
      if (e.touches.length !== 2) return;
      e.preventDefault();
      const now = read(e);
      this.by(now.far / (far || 1), x, y);
      this.go({ ...this.at, x: this.at.x + now.x - x, y: this.at.y + now.y - y });
      ({ far, x, y } = now);
    }, { passive: false });
  }
}

/** @param {string} name @param {boolean} tall @returns {{k: number, x: number, y: number}|undefined} */
function restore(name, tall) {
  try {
    const v = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    if (v?.name === name && v.tall === tall && [v.k, v.x, v.y].every(Number.isFinite) && v.k > 0) return v;
  } catch { /* switched off, or not ours */ }
  return undefined;
}
