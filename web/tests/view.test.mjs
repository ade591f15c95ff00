import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame } from '../static/js/messages.js';
import { hits } from '../static/js/find.js';
import { Lens } from '../static/js/lens.js';
import { nodeRows, sorted, streamRows } from '../static/js/table.js';
import { apply, empty } from '../static/js/world.js';
import { centre, centred, fitted, held, LEAST, MOST, zoomed } from '../static/js/zoom.js';
import { outage } from './outage.mjs';

const { world } = apply(empty(), frame(outage()));
const map = { width: 980, height: 740 }, room = { width: 960, height: 700 };
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);

test('all of the map fits its room, and where the page scrolls its width', () => {
  for (const r of [room, { width: 300, height: 900 }, { width: 3000, height: 400 }]) {
    const v = fitted(map, r);
    assert.ok(v.x >= 0 && v.y >= 0 && v.x + map.width * v.k <= r.width + 1e-9 && v.y + map.height * v.k <= r.height + 1e-9);
  }
  near(fitted(map, { width: 490, height: 0 }).k, 0.5);
});

test('zooming holds the point under the hand, within bounds', () => {
  let v = fitted(map, room);
  const before = [(200 - v.x) / v.k, (300 - v.y) / v.k];
  v = zoomed(v, 1.7, 200, 300);
  near((200 - v.x) / v.k, before[0]);
  near((300 - v.y) / v.k, before[1]);
  near(zoomed(v, 1e9, 0, 0).k, MOST);
  near(zoomed(v, 1e-9, 0, 0).k, LEAST);
  near(zoomed(v, 1e-9, 0, 0, 0.1).k, 0.1);
});

test('another room keeps the middle, and some of the map stays in sight', () => {
  const v = centred(2, 300, 200, room), m = centre(v, room);
  near(m.x, 300);
  near(m.y, 200);
  const other = centred(2, m.x, m.y, { width: 500, height: 400 });
  near(centre(other, { width: 500, height: 400 }).x, 300);
  for (const x of [-1e6, 1e6]) {
    const h = held({ k: 1, x, y: x }, map, room);
    assert.ok(h.x <= room.width - 80 && h.x + map.width >= 80 && h.y <= room.height - 80 && h.y + map.height >= 80);
  }
});

test('search finds by id and label, the best first', () => {
  assert.deepEqual(hits(world, ''), []);
  assert.deepEqual(hits(world, ' OrDeRs ').slice(0, 2).map((h) => [h.kind, h.id]), [['node', 'orders'], ['stream', 'orders']]);
  assert.ok(hits(world, 'sign up').some((h) => h.id === 'users'));
  assert.deepEqual(hits(world, 'no such thing'), []);
});

test('the tables say what the map says', () => {
  const rows = nodeRows(world, world.at), by = (id) => rows.find((r) => r.id === id);
  assert.equal(rows.length, world.nodes.size);
  assert.match(by('catalog').shown[2], /✕ dead/);
  assert.equal(by('purchases').values[6], 184);
  assert.equal(streamRows(world).length, world.streams.size);
  const orders = streamRows(world).find((r) => r.id === 'orders');
  assert.equal(orders.values[3], [...world.edges.values()].filter((e) => e.kind === 'take' && e.from === 'orders').length);
});

test('a column sorts both ways, equal ones by name', () => {
  const rows = ['b', 'a', 'c'].map((id, i) => ({ id, state: '', shown: [], values: [id, i === 2 ? 9 : 1] }));
  assert.deepEqual(sorted(rows, 1, 1).map((r) => r.id), ['a', 'b', 'c']);
  assert.deepEqual(sorted(rows, 1, -1).map((r) => r.id), ['c', 'a', 'b']);
  assert.deepEqual(sorted(rows, 0, -1).map((r) => r.id), ['c', 'b', 'a']);
});

test('what is looked into alone is strong, whatever pattern is chosen', () => {
  const l = new Lens(world, 'shared', { nodes: new Set(['orders']), lanes: new Set(['orders']), edges: new Set(['emit:orders>orders']) });
  assert.deepEqual([...world.nodes.values()].filter((n) => !l.hidesNode(n)).map((n) => n.id), ['orders', 'orders-db']);
  assert.deepEqual([...world.streams.keys()].filter((s) => !l.hidesLane(s)), ['orders']);
  assert.deepEqual([...world.edges.values()].filter((e) => !l.hidesEdge(e)).map((e) => e.id), ['emit:orders>orders']);
  assert.ok(!new Lens(world, '').chooses);
});
