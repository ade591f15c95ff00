// @ts-check
// Wiring only; nothing imports it.

import { onMove, opened } from './address.js';
import { Announcer } from './announce.js';
import { attr, byId, text } from './dom.js';
import { big } from './big.js';
import { Cards } from './nodes.js';
import { connect } from './socket.js';
import { Controls } from './controls.js';
import { CostPanel } from './cost.js';
import { DeadMarks } from './deadmarks.js';
import { Dots } from './dots.js';
import { Edges, sign } from './edges.js';
import { Feed } from './feed.js';
import { fit, layout, TALL } from './layout.js';
import { Hearing } from './hearing.js';
import { Keyboard } from './keyboard.js';
import { hatches } from './drum.js';
import { once, sheet } from './later.js';
import { legend } from './legend.js';
import { Lens } from './lens.js';
import { Matrix } from './matrix.js';
import { Mix } from './mix.js';
import { More } from './more.js';
import { Notes } from './notes.js';
import { hit, listen } from './opens.js';
import { parse } from './messages.js';
import { Outboxes } from './outbox.js';
import { Picker } from './picker.js';
import { Piles } from './piles.js';
import { River } from './river.js';
import { Sheet } from './sheet.js';
import { Traffic } from './traffic.js';
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

const more = new More(say);
/** @type {import('./verbs.js').Hands} */
const hands = { say, more: (b, verbs) => more.open(b, verbs) };

lines.append(hatches(), sign());
const river = new River(lines, byId('cards'), hands);
const edges = new Edges(lines, byId('labels'));
const piles = new Piles(lines, byId('labels')), outboxes = new Outboxes(byId('labels')), deads = new DeadMarks(byId('labels'));
const cards = new Cards(byId('cards'), hands);
const dots = new Dots(/** @type {HTMLCanvasElement} */ (byId('dots')));
const traffic = new Traffic(dots, edges, cards);
const cost = new CostPanel(() => ask());
/** The side panel, once something was opened. @type {import('./inspect.js').Inspector|undefined} */
let inspector;
const panel = once(async () => {
  const [{ Inspector }] = await Promise.all([import('./inspect.js'), sheet('inspect')]);
  inspector = new Inspector({ changed: () => ask(), opened: () => cost.hide(), say });
  return inspector;
});
/** @param {(p: import('./inspect.js').Inspector) => void} f */
const withPanel = (f) => panel().then(f, (e) => say(`the panel cannot be loaded: ${e.message}`, true));
const follow = () => { if (inspector || opened()) withPanel((p) => p.follow()); };
onMove(follow);
const matrix = new Matrix(byId('matrix'), byId('works-say'), (feature, pattern, b) => {
  inspector?.close(); // one panel at a time
  cost.show(feature, pattern, b);
});
const picker = new Picker(byId('pick'), byId('pick-say'), () => ask());
const mix = new Mix(say);
const notes = new Notes(byId('notes')), feed = new Feed(byId('events'), (e) => withPanel((p) => p.open('event', e.id || e.entry_id)));
const controls = new Controls(say, () => traffic.theme());
const keyboard = new Keyboard(hands, new Sheet(byId('keys'))), hearing = new Hearing(), announcer = new Announcer(byId('told'));
big(byId('big'));

let world = empty();
/** Server's clock less this one's. */
let offset = 0;
/** @type {import('./layout.js').Layout|undefined} */
let place;
let shape = true, asked = false;

/** @param {import('./messages.js').Frame} f @returns {boolean} false: frames are missing */
function take(f) {
  const a = apply(world, f);
  if (a.gap) return false;
  feed.add(f.events, f.full && f.rev < world.rev);
  world = a.world;
  if (!Number.isNaN(world.at)) offset = world.at - Date.now();
  shape ||= a.shape;
  if (place && !shape && a.flows.length > 0) traffic.show(world, place, lensNow(), a.flows);
  ask();
  return true;
}

const lensNow = () => new Lens(world, picker.wanted, inspector?.path(world));

function ask() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    render();
  });
}

function render() {
  if (shape || !place) arrange();
  if (!place) return;
  const now = Date.now() + offset;
  const lens = lensNow();
  /** @type {import('./layout.js').Box[]} */
  const labels = [];
  picker.render(world);
  river.render(world, place, lens, now);
  outboxes.render(world, place, lens, labels);
  piles.render(world, place, lens, labels);
  deads.render(world, place, labels);
  edges.render(world, place, lens, labels);
  cards.render(world, place, lens, now);
  more.render();
  cost.render(world);
  inspector?.render(world, now);
  matrix.render(world, lens.pattern?.id ?? '', cost.key);
  notes.render(world);
  feed.render(world, inspector?.kind === 'event' ? inspector.id : '');
  controls.render(world);
  mix.render(world);
  keyboard.render(world);
  hearing.render(world);
  announcer.render(world);
}

/** Lays the map out anew: nodes came or went, or the room changed. */
function arrange() {
  shape = false;
  const width = room.clientWidth, height = width < TALL ? 0 : room.clientHeight;
  place = layout(world.nodes.values(), world.streams.keys(), { width, height }, world.apart);
  const scale = place.tall ? width / place.width : Math.min(3, Math.max(0.62, fit(place, { width, height })));
  attr(lines, 'viewBox', `0 0 ${place.width} ${place.height}`);
  for (const k of /** @type {const} */ (['width', 'height'])) {
    attr(lines, k, String(place[k]));
    stage.style[k] = `${place[k]}px`;
  }
  stage.style.transform = `scale(${scale})`;
  stage.style.marginLeft = `${Math.max(0, (width - place.width * scale) / 2)}px`;
  room.style.minHeight = place.tall ? `${Math.ceil(place.height * scale)}px` : '';
  dots.resize(place.width, place.height, scale * Math.min(2, devicePixelRatio || 1));
  document.title = world.system.name ? `Stillup: ${world.system.name}` : 'Stillup';
  legend(byId('legend'), world);
}

const first = byId('state').textContent;
if (first) take(parse(first));
follow();
listen(stage, (kind, id) => withPanel((p) => p.open(kind, id)), (x, y) => {
  const l = place, lens = lensNow();
  return l && hit(world, l, (e) => edges.wayOf(l, e), (e) => lens.hidesEdge(e), x, y);
});
new ResizeObserver(() => {
  shape = true;
  ask();
}).observe(room);
setInterval(ask, 1000); // ages grow while nothing comes

const retry = connect(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`, {
  frame: take,
  lost: (why, wait) => {
    document.body.classList.add('lost');
    const since = Number.isNaN(world.at) ? '' : ` since ${clock(world.at)}`;
    text(link, `✕ ${why}: the picture stands still${since}. Trying again in ${Math.max(1, Math.round(wait / 1000))} s`);
  },
  live: () => {
    if (document.body.classList.contains('lost')) inspector?.retry();
    document.body.classList.remove('lost');
    text(link, '');
  },
});
addEventListener('online', () => {
  if (document.body.classList.contains('lost')) retry();
});
