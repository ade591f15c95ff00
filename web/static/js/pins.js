// @ts-check
// Cards that were put somewhere by hand, with Alt or by the grip, or with Shift and the arrows. They stay there, also over a
// reload; a double click or the card's own button lets one go.

/** A key's step, units of the map; what a movement must exceed to be a drag, pixels. */
const STEP = 20, SLIP = 4;
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

export class Pins {
  /** @param {HTMLElement} cards parent of the cards @param {import('./view.js').View} view @param {() => void} changed @param {import('./verbs.js').Say} say */
  constructor(cards, view, changed, say) {
    this.view = view;
    this.changed = changed;
    this.say = say;
    this.name = '';
    /** @type {Map<string, {x: number, y: number}>} */
    this.at = new Map();
    /** @type {import('./layout.js').Layout|undefined} */
    this.place = undefined;
    this.dragged = false;
    this.listen(cards);
  }

  /** Those of a system. @param {string} name */
  of(name) {
    if (name === this.name) return this.at;
    this.name = name;
    this.at = new Map();
    try {
      for (const [id, p] of Object.entries(JSON.parse(localStorage.getItem(this.key()) ?? '{}'))) {
        if (Number.isFinite(p?.x) && Number.isFinite(p?.y)) this.at.set(id, { x: p.x, y: p.y });
      }
    } catch { /* switched off, or not ours: none */ }
    return this.at;
  }

  key() {
    return `stillup-pins:${this.name}`;
  }

  /** @param {string} id @param {{x: number, y: number}|undefined} at undefined lets it go @param {boolean} [keep] over a reload */
  put(id, at, keep = true) {
    this.at = new Map(this.at); // the layout holds the old one
    if (at) this.at.set(id, { x: Math.round(at.x), y: Math.round(at.y) });
    else this.at.delete(id);
    this.changed();
    if (!keep) return;
    try {
      if (this.at.size > 0) localStorage.setItem(this.key(), JSON.stringify(Object.fromEntries(this.at)));
      else localStorage.removeItem(this.key());
    } catch { /* storage is switched off: it holds until the page is left */ }
  }

  /** @param {string} id */
  unpin(id) {
    if (!this.at.has(id)) return;
    this.put(id, undefined);
    this.say(`${id} stands where it stood before`);
  }

  /** @param {HTMLElement} cards */
  listen(cards) {
    /** @type {{id: string, pointer: number, x: number, y: number, left: number, top: number, moved: boolean}|undefined} */
    let held;
    const cardOf = (/** @type {Event} */ e) => /** @type {HTMLElement|null} */ (/** @type {Element} */ (e.target).closest('.card'));
    cards.addEventListener('pointerdown', (e) => {
      this.dragged = false;
      const card = cardOf(e), grip = /** @type {Element} */ (e.target).closest('.grip'), p = this.place?.places.get(card?.dataset.node ?? '');
      if (!card || !p || e.button !== 0 || this.place?.tall || !(e.altKey || grip)) return;
      e.preventDefault();
      if (grip instanceof HTMLElement) grip.focus();
      held = { id: card.dataset.node ?? '', pointer: e.pointerId, x: e.clientX, y: e.clientY, left: p.x, top: p.y, moved: false };
      card.setPointerCapture(e.pointerId);
    });
    cards.addEventListener('pointermove', (e) => {
      if (!held || e.pointerId !== held.pointer) return;
      const dx = e.clientX - held.x, dy = e.clientY - held.y;
      if (!held.moved && Math.hypot(dx, dy) < SLIP) return;
      held.moved = true;
      const { k } = this.view.at;
      this.put(held.id, { x: held.left + dx / k, y: held.top + dy / k }, false);
    });
    const end = (/** @type {PointerEvent} */ e) => {
      if (!held || e.pointerId !== held.pointer) return;
      this.dragged = held.moved;
      if (held.moved) this.put(held.id, this.place?.places.get(held.id) ?? this.at.get(held.id));
      held = undefined;
    };
    cards.addEventListener('pointerup', end);
    cards.addEventListener('pointercancel', end);
    cards.addEventListener('dblclick', (e) => {
      const card = cardOf(e);
      if (card && !/** @type {Element} */ (e.target).closest('button:not(.grip), input')) this.unpin(card.dataset.node ?? '');
    });
    cards.addEventListener('click', (e) => {
      if (/** @type {Element} */ (e.target).closest('.unpin')) this.unpin(cardOf(e)?.dataset.node ?? '');
    });
    cards.addEventListener('keydown', (e) => {
      const step = ARROWS[e.key], on = /** @type {Element} */ (e.target), id = cardOf(e)?.dataset.node ?? '';
      const p = this.place?.places.get(id);
      if (!step || !e.shiftKey || !p || this.place?.tall || !on.matches('.card, .grip')) return;
      e.preventDefault();
      e.stopPropagation();
      this.put(id, { x: p.x + step[0], y: p.y + step[1] });
    });
  }
}
