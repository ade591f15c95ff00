import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame } from '../static/js/messages.js';
import { apply, behind, cellKey, colourOf, empty, EVENTS, PLAIN, storesOf, waiting } from '../static/js/world.js';
import { outage } from './outage.mjs';

const start = () => apply(empty(), frame(outage())).world;
const diff = (parts) => frame({ from: 100, rev: 101, at: '2026-11-24T10:00:01.000Z', ...parts });
const edge = (w, id, change) => ({ ...w.edges.get(id), ...change });

test('a full frame is everything', () => {
  const w = start();
  assert.equal(w.nodes.size, 16);
  assert.equal(w.nodes.get('catalog').state, 'down');
  assert.equal(w.cells.get(cellKey('buy', 'sync')).state, 'fails');
  assert.deepEqual(storesOf(w, 'orders').map((n) => n.id), ['orders-db']);
  assert.deepEqual(['catalog', 'requests'].map((s) => colourOf(w, s)), ['1', PLAIN], 'a stream without a kind is plain');
});

test('a diff replaces the parts that it has and says what grew', () => {
  const w = start();
  const a = apply(w, diff({ edges: [edge(w, 'call:orders>catalog', { total: 1007, failed: 73 }), edge(w, 'emit:users>users', { total: 1002 })] }));
  assert.equal(a.world.rev, 101);
  assert.equal(w.edges.get('call:orders>catalog').total, 1000, 'the world before is not changed');
  assert.deepEqual(a.flows.map((f) => [f.kind, f.count, f.failed]), [['call', 7, 3], ['emit', 2, 0]]);
});

test('entries of a stream beyond its known emitters are a flow of the lane', () => {
  const w = start();
  const a = apply(w, diff({ streams: [{ ...w.streams.get('orders'), total: 5005, first_at: null }], edges: [edge(w, 'emit:orders>orders', { total: 1002 })] }));
  assert.deepEqual(a.flows.map((f) => [f.kind, f.count]), [['emit', 2], ['lane', 3]]);
});

test('a frame that starts after what is known is a gap; an old one changes nothing', () => {
  const w = start();
  assert.equal(apply(w, frame({ from: 105, rev: 106 })).gap, true);
  assert.equal(apply(w, frame({ from: 90, rev: 95, nodes: [{ id: 'catalog', state: 'up' }] })).world, w);
});

test('merged and skipped frames lose no count', () => {
  const w = start();
  const one = apply(w, diff({ edges: [edge(w, 'emit:users>users', { total: 1004 })] }));
  const two = apply(one.world, frame({ from: 100, rev: 103, edges: [edge(w, 'emit:users>users', { total: 1009 })] }));
  assert.equal(one.flows[0].count + two.flows[0].count, 9);
});

test('what waits at a door is summed over its streams', () => {
  const x = waiting(start(), 'purchases');
  assert.deepEqual([x.known, x.oldest_ms, x.unknown, x.streams.map((s) => s.name)], [184, 12000, false, ['users', 'orders']]);
});

test('a copy is behind while events of its kind wait', () => {
  const w = start();
  assert.deepEqual(['users', 'products', 'orders'].map((k) => behind(w, 'purchases', k)), [true, false, true]);
  assert.equal(behind(w, 'orders', 'users'), false);
});

test('the list of events is bounded and in order', () => {
  const many = Array.from({ length: 100 }, (_, i) => ({ seq: 200 - i, stream: 'users' }));
  const { world } = apply(start(), diff({ events: many }));
  assert.equal(world.events.length, EVENTS);
  assert.equal(world.events.at(-1).seq, 200);
});

test('a reach that grew is a flow of its own', () => {
  const w = start();
  const a = apply(w, diff({ edges: [edge(w, 'reach:orders>users-db', { total: 1003 })] }));
  assert.deepEqual(a.flows.map((f) => [f.kind, f.stream, f.count]), [['reach', '', 3]]);
});

test('who takes no part in the bus is settled by the full frame', () => {
  const w = start();
  assert.deepEqual([...w.apart], ['monolith']);
  const { world } = apply(w, diff({ edges: [{ id: 'emit:monolith>orders', kind: 'emit', from: 'monolith', to: 'orders', total: 1 }] }));
  assert.ok(world.apart.has('monolith'), 'its place does not change while it is looked at');
});
