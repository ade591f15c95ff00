import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame } from '../static/js/messages.js';
import { layout } from '../static/js/layout.js';
import { call, crossing, reach } from '../static/js/routes.js';
import { apply, empty } from '../static/js/world.js';
import { outage } from './outage.mjs';

const { world } = apply(empty(), frame(outage()));
const rooms = [{ width: 1000, height: 770 }, { width: 820, height: 600 }, { width: 1500, height: 900 }, { width: 390, height: 0 }];
const overlap = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

for (const room of rooms) {
  const l = layout(world.nodes.values(), world.streams.keys(), room, world.apart);

  test(`nothing overlaps and nothing is cut at ${room.width} wide`, () => {
    const boxes = [...l.places.entries()];
    assert.equal(boxes.length, 8, 'seven services and one client have a place of their own');
    boxes.forEach(([id, a], i) => {
      assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.w <= l.width && a.y + a.h <= l.height, `${id} is within the map`);
      assert.ok(!overlap(a, l.river), `${id} stands beside the river`);
      for (const [other, b] of boxes.slice(i + 1)) assert.ok(!overlap(a, b), `${id} and ${other}`);
    });
  });

  test(`every connection has a way at ${room.width} wide, within the map`, () => {
    for (const e of world.edges.values()) {
      const chain = e.kind === 'call' ? call(l, e.from, e.to) : e.kind === 'reach' ? reach(l, e.from, e.to)
        : crossing(l, e.kind === 'emit' ? e.from : e.to, e.kind === 'emit' ? e.to : e.from, e.kind)?.chain;
      assert.ok(chain, e.id);
      for (let i = 0; i < chain.length; i += 6) { // end points of its segments
        assert.ok(chain[i] >= 0 && chain[i] <= l.width && chain[i + 1] >= 0 && chain[i + 1] <= l.height, `${e.id} at ${chain[i]},${chain[i + 1]}`);
      }
    }
  });
}

test('positions do not depend on state or traffic', () => {
  const calm = [...world.nodes.values()].map((n) => ({ ...n, state: 'up', rate: 0 }));
  const a = layout(world.nodes.values(), world.streams.keys(), rooms[0]), b = layout(calm, world.streams.keys(), rooms[0]);
  assert.deepEqual([...a.places], [...b.places]);
});

test('stores stand within their owners', () => {
  const l = layout(world.nodes.values(), world.streams.keys(), rooms[0]);
  assert.equal(l.home.get('catalog-db'), 'catalog');
  assert.ok(!l.places.has('catalog-db'));
});

test('the one service that takes no part in the bus stands beside it, and the others as if it were not there', () => {
  const l = layout(world.nodes.values(), world.streams.keys(), rooms[0], world.apart);
  assert.deepEqual([...world.apart], ['monolith']);
  assert.equal(l.places.get('monolith').bank, 0);
  const without = [...world.nodes.values()].filter((n) => n.id !== 'monolith' && n.id !== 'monolith-db');
  const m = layout(without, world.streams.keys(), rooms[0]);
  for (const id of ['users', 'catalog', 'orders', 'stock', 'purchases', 'trending']) {
    assert.deepEqual([l.places.get(id).bank, l.places.get(id).col], [m.places.get(id).bank, m.places.get(id).col], id);
  }
});

test('where several take no part, all stand on the banks', () => {
  const l = layout(world.nodes.values(), world.streams.keys(), rooms[0], new Set(['monolith', 'users']));
  assert.ok(['monolith', 'users'].every((id) => l.places.get(id).bank !== 0));
});

test('a reach ends before the card of the store, where its sign is seen', () => {
  for (const room of rooms) {
    const l = layout(world.nodes.values(), world.streams.keys(), room, world.apart);
    for (const e of world.edges.values()) {
      if (e.kind !== 'reach') continue;
      const [x, y] = reach(l, e.from, e.to).slice(-2), p = l.places.get(l.home.get(e.to));
      const dx = Math.max(p.x - x, 0, x - p.x - p.w), dy = Math.max(p.y - y, 0, y - p.y - p.h);
      assert.ok(Math.abs(Math.hypot(dx, dy) - 9) < 0.01, `${e.id} at ${room.width} wide ends ${Math.hypot(dx, dy)} away`);
    }
  }
});

const newcomer = [{ id: 'tips', kind: 'service', owner: '' }, { id: 'tips-db', kind: 'store', owner: 'tips' }];
const later = new Set(['tips']);
/** Where cards stand and lanes begin; they may become longer. */
const standing = (l) => JSON.stringify([[...l.places].filter(([id]) => !later.has(id)), l.beds.map((b) => [b.x1, b.y1]), l.river.x, l.river.y]);

test('a service that joins moves no other, live and after a reload', () => {
  for (const room of [...rooms, { width: 2400, height: 700 }, { width: 700, height: 1400 }]) {
    const before = layout(world.nodes.values(), world.streams.keys(), room, world.apart, { later });
    const live = layout([...world.nodes.values(), ...newcomer], world.streams.keys(), room, world.apart, { later, keep: before });
    const [a, b, ...more] = world.nodes.values(); // it is anywhere in the file
    const reloaded = layout([a, b, ...newcomer, ...more], world.streams.keys(), room, world.apart, { later });
    assert.equal(standing(live), standing(before), `live at ${room.width} wide`);
    assert.equal(standing(reloaded), standing(before), `reloaded at ${room.width} wide`);
    const own = live.places.get('tips');
    assert.deepEqual({ ...reloaded.places.get('tips') }, { ...own });
    assert.equal(live.home.get('tips-db'), 'tips');
    assert.ok(own.x + own.w <= live.width && own.y + own.h <= live.height && !overlap(own, live.river));
    for (const [id, p] of live.places) assert.ok(id === 'tips' || !overlap(p, own), `${id} at ${room.width} wide`);
  }
});

test('where there is room for who may join, it is there from the start, so that the map keeps its size', () => {
  const room = { width: 1500, height: 900 };
  const none = layout(world.nodes.values(), world.streams.keys(), room, world.apart);
  const before = layout(world.nodes.values(), world.streams.keys(), room, world.apart, { later });
  const after = layout([...world.nodes.values(), ...newcomer], world.streams.keys(), room, world.apart, { later, keep: before });
  assert.ok(before.width > none.width);
  assert.deepEqual([after.width, after.height], [before.width, before.height]);
  assert.deepEqual([...before.places.keys()], [...none.places.keys()], 'nobody sits there yet');
});

test('where the map would get much smaller by it, no room is kept for who may join', () => {
  const room = { width: 1000, height: 770 };
  const none = layout(world.nodes.values(), world.streams.keys(), room, world.apart);
  assert.equal(layout(world.nodes.values(), world.streams.keys(), room, world.apart, { later }).width, none.width);
});
