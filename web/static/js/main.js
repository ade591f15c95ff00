// @ts-check
// Wiring only; nothing imports it.

import { dataWay, onMove, opened } from './address.js';
import { Announcer } from './announce.js';
import { AsTable } from './astable.js';
import { attr, byId, text } from './dom.js';
import { big } from './big.js';
import { Cards } from './nodes.js';
import { connect } from './socket.js';
import { Controls } from './controls.js';
import { bands, MANY, troubled } from './bands.js';
import { DeadMarks } from './deadmarks.js';
import { Dots } from './dots.js';
import { Edges, sign } from './edges.js';
import { Feed } from './feed.js';
import { Find } from './find.js';
import { layout, TALL } from './layout.js';
import { Hearing } from './hearing.js';
import { Keyboard } from './keyboard.js';
import { Light } from './light.js';
import { hatches } from './drum.js';
import { Later, styled } from './later.js';
import { legend } from './legend.js';
import { aim, Lens, onAim } from './lens.js';
import { Matrix } from './matrix.js';
import { MixButton } from './mixbutton.js';
import { News } from './news.js';
import { Notes } from './notes.js';
import { links } from './opens.js';
import { Looking } from './looking.js';
import { parse } from './messages.js';
import { Outboxes } from './outbox.js';
import { Picker } from './picker.js';
import { Piles } from './piles.js';
import { Pins } from './pins.js';
import { River } from './river.js';
import { Scene } from './scene.js';
import { inspects } from './touch.js';
import { Traffic } from './traffic.js';
import { Types } from './types.js';
import { View } from './view.js';
import { clock } from './words.js';
import { apply, empty } from './world.js';

const lines = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (byId('lines')));
const room = byId('room'), stage = byId('stage'), said = byId('said'), link = byId('link');

let saying = 0;
/** @type {import('./verbs.js').Say} */
const say = (words, bad = false) => {
  text(said, words);
  said.dataset.tone = bad ? 'bad' : 'good';
  clearTimeout(saying);
  saying = setTimeout(() => text(said, ''), bad ? 12000 : 5000);
};

const more = new Later('the window of what more can be done', async () => new (await styled(import('./more.js'), 'popover')).More(say), say);
/** @type {import('./verbs.js').Hands} */
const hands = { say, more: (b, verbs) => more.use((m) => m.open(b, verbs)) };

lines.append(hatches(), sign());
const types = new Types();
/** Groups of streams that are open. @type {Set<string>} */
const unfolded = new Set();
const river = new River(lines, byId('cards'), hands, (id) => {
  if (!unfolded.delete(id)) unfolded.add(id);
  again();
}, (stream) => types.words(stream));
const edges = new Edges(lines, byId('labels'));
const piles = new Piles(lines, byId('labels')), outboxes = new Outboxes(byId('labels')), deads = new DeadMarks(byId('labels'));
const runs = new Later('how nodes run', () => styled(import('./oncard.js'), 'runs'), say);
const cards = new Cards(byId('cards'), hands, runs, ask);
const scene = new Scene(/** @type {HTMLCanvasElement} */ (byId('dots')), new Light(), new Dots());
const traffic = new Traffic(scene, edges, cards, types);
const view = new View(room, stage, (v, width, height, top) => scene.view(v, width, height, top));
const pins = new Pins(byId('cards'), view, () => again(), say);
const find = new Find(() => again(), (h) => goTo(h));
const table = new AsTable(() => again(), say);
const news = new News(byId('news'), byId('labels'));
inspects(byId('map'), view, pins, edges, river);
onAim(() => ask());
for (const [type, on] of /** @type {const} */ ([['pointerover', true], ['pointerout', false], ['focusin', true], ['focusout', false]])) {
  byId('cards').addEventListener(type, (e) => {
    const card = /** @type {HTMLElement|null} */ (/** @type {Element} */ (e.target).closest('.card'));
    if (place?.compact) aim(on ? card?.dataset.node ?? '' : '');
  });
}
// One panel at a time.
const cost = new Later('what a request costs', async () => new (await styled(import('./cost.js'), 'cost')).CostPanel(ask), say);
const data = new Later('the panel of data', async () => new (await styled(import('./data.js'), 'cost', 'runs', 'inspect', 'data', 'copies')).DataPanel({ say, changed: ask, opened: () => {
  panel.part?.close();
  cost.part?.hide();
} }), say);
const panel = new Later('the panel', async () => {
  const { Inspector } = await styled(import('./inspect.js'), 'cost', 'runs', 'inspect');
  return new Inspector({ changed: ask, opened: () => {
    cost.part?.hide();
    if (data.part?.covers) data.part.close();
  }, hands });
}, say);
/** @type {(kind: import('./address.js').Kind, id: string) => void} */
const open = (kind, id) => panel.use((p) => p.open(kind, id));
const openData = (way = '') => data.use((d) => d.open(way));
byId('open-data').addEventListener('click', () => (data.part?.way ? data.part.close() : openData()));
const follow = () => {
  if (panel.part || panel.loading || opened()) panel.use((p) => p.follow());
  if (data.part || data.loading || dataWay()) data.use((d) => d.follow());
};
onMove(follow);
const matrix = new Matrix(byId('matrix'), byId('works-say'), (feature, pattern, b) => cost.use((c) => {
  panel.part?.close();
  c.show(feature, pattern, b);
}));
const picker = new Picker(byId('pick'), byId('pick-say'), () => ask());
const tour = new Later('the walkthrough', async () => new (await styled(import('./tour.js'), 'tour')).Tour({ say, world: () => world, changed: ask, picker, data, cost }), say);
const mix = new MixButton(say);
const notes = new Notes(byId('notes')), feed = new Feed(byId('events'), (e) => open('event', e.id || e.entry_id));
const looking = new Looking(say), controls = new Controls(say, () => traffic.theme());
const keys = new Later('the sheet of keys', async () => new (await styled(import('./sheet.js'), 'sheet')).Sheet(), say);
const showKeys = () => keys.use((s) => s.open());
byId('keys').addEventListener('click', showKeys);
const keyboard = new Keyboard(hands, showKeys), hearing = new Hearing(), announcer = new Announcer(byId('told'));

let world = empty();
/** Server's clock less this one's. */
let offset = 0;
/** @type {import('./layout.js').Layout|undefined} */
let place;
let shape = true, asked = false;
/** Streams in trouble. @type {ReadonlySet<string>} */
let trouble = new Set();
/** The room that the layout was made for. */
let space = { width: 0, height: 0 };

/** @param {import('./messages.js').Frame} f @returns {boolean} false: frames are missing */
function take(f) {
  const a = apply(world, f);
  if (a.gap) return false;
  feed.add(f.events, f.full && f.rev < world.rev);
  world = a.world;
  if (!Number.isNaN(world.at)) offset = world.at - Date.now();
  shape ||= a.shape;
  types.see(f.events);
  if (place && !shape && !table.open && a.flows.length > 0) traffic.show(world, place, lensNow(), a.flows);
  ask();
  return true;
}

const lensNow = () => new Lens(world, picker.wanted, panel.part?.path(world) ?? tour.part?.path(world));

function ask() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    render();
  });
}

/** The map is laid out anew with the next frame. */
function again() {
  shape = true;
  ask();
}

function render() {
  const now = Date.now() + offset;
  document.title = world.system.name ? `Stillup: ${world.system.name}` : 'Stillup';
  find.look(world);
  table.render(world, find, now);
  room.hidden = table.open;
  news.render(world, table.open ? undefined : place);
  picker.render(world);
  if (!table.open) map(now);
  more.part?.render();
  cost.part?.render(world);
  panel.part?.render(world, now);
  data.part?.render(world, now);
  matrix.render(world, lensNow().pattern?.id ?? '', cost.part?.key ?? '');
  tour.part?.render(world);
  notes.render(world);
  feed.render(world, panel.part?.kind === 'event' ? panel.part.id : '');
  controls.render(world);
  looking.render(world);
  mix.render(world);
  keyboard.render(world);
  hearing.render(world);
  announcer.render(world);
}

/** @param {number} now */
function map(now) {
  const bad = world.streams.size > MANY ? troubled(world.edges.values(), trouble, 4) : new Set();
  if (bad.size !== trouble.size || [...bad].some((s) => !trouble.has(s))) {
    trouble = bad;
    shape = true;
  }
  if (shape || !place) arrange();
  if (!place) return;
  const lens = lensNow();
  /** @type {import('./layout.js').Box[]} */
  const labels = [];
  stage.classList.toggle('searching', find.words !== '');
  river.hits = find.streams;
  river.render(world, place, lens, now);
  outboxes.render(world, place, lens, labels);
  piles.render(world, place, lens, labels);
  deads.render(world, place, labels);
  edges.render(world, place, lens, labels);
  cards.render(world, place, lens, now, find.nodes);
  traffic.flow(world, place, lens);
}

/** Lays the map out anew: nodes came or went, the room changed, or a group was opened. What stood keeps its place, unless all
 * is to fit another room. */
function arrange() {
  shape = false;
  const size = view.measure();
  if (size.height > 0) size.width = Math.max(size.width, TALL); // the phone's form is for a page that scrolls
  const other = differs(size.width, space.width) || differs(size.height, space.height);
  const tall = size.width < TALL, own = tall ? new Set() : new Set([...trouble, ...(find.streams.size <= 8 ? find.streams : [])]);
  const rows = bands([...world.streams.values()], tall ? new Set() : unfolded, own, ...(tall ? [8, 8] : []));
  place = layout(world.nodes.values(), world.streams.keys(), size, world.apart,
    { bands: rows, pins: pins.of(world.system.name), keep: view.fits && other ? undefined : place, later: new Set(world.system.later) });
  if (other) {
    space = size;
    scene.clear(); // they were on their way in another room
  }
  pins.place = place;
  attr(lines, 'viewBox', `0 0 ${place.width} ${place.height}`);
  for (const k of /** @type {const} */ (['width', 'height'])) {
    attr(lines, k, String(place[k]));
    stage.style[k] = `${place[k]}px`;
  }
  stage.classList.toggle('compact', place.compact);
  stage.classList.toggle('tall', place.tall);
  view.show(place, world.system.name);
  legend(byId('legend'), world);
}

/** By so much that another arrangement may fit better; a line of text more above the map is none. @param {number} a @param {number} b */
const differs = (a, b) => Math.abs(a - b) > b * 0.15;

/** @param {import('./find.js').Hit} h */
function goTo(h) {
  if (table.open) {
    /** @type {HTMLElement|null} */ (table.root.querySelector('.fact-name'))?.focus();
    return;
  }
  if (!place) return;
  const n = world.nodes.get(h.id), bed = place.lanes.get(h.id);
  const box = h.kind === 'stream' || n?.kind === 'bus' ? bed && { x: bed.x1, y: bed.y1, w: bed.x2 - bed.x1, h: bed.y2 - bed.y1 } : place.places.get(place.home.get(h.id) ?? h.id);
  if (box) view.centre(box, h.kind === 'node' ? 0.8 : undefined);
}

await big(byId('big'), say); // the map is laid out to its type
const first = byId('state').textContent;
if (first) take(parse(first));
follow();
const toured = byId('open-tour');
if (!toured.hidden) {
  const walk = () => (tour.part || tour.loading || location.pathname !== '/') && tour.use((t) => t.follow());
  toured.addEventListener('click', () => tour.use((t) => t.toggle()));
  byId('tour-terms').addEventListener('click', () => tour.use((t) => t.reading.terms()));
  addEventListener('popstate', walk);
  walk();
}
byId('map').addEventListener('inspect', (e) => {
  const d = /** @type {CustomEvent<import('./touch.js').Inspected>} */ (e).detail;
  open(d.kind, d.id);
});
links((kind, id) => (kind === 'data' ? openData(id) : open(kind, id)));
new ResizeObserver(() => again()).observe(room);
setInterval(ask, 1000); // ages grow while nothing comes

const retry = connect(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`, {
  frame: take,
  lost: (why, wait) => {
    document.body.classList.add('lost');
    const since = Number.isNaN(world.at) ? '' : ` since ${clock(world.at)}`;
    traffic.freeze(true);
    text(link, `✕ ${why}: the picture stands still${since}. Trying again in ${Math.max(1, Math.round(wait / 1000))} s`);
  },
  live: () => {
    if (document.body.classList.contains('lost')) panel.part?.retry();
    document.body.classList.remove('lost');
    traffic.freeze(false);
    text(link, '');
  },
});
addEventListener('online', () => {
  if (document.body.classList.contains('lost')) retry();
});
