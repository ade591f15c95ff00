import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEPT, passes, Rows, shapeOf } from '../static/js/rows.js';

const ev = (seq, more = {}) => ({ seq, stream: 'orders', type: 'order.placed.v1', subject: `o-${seq}`, node: 'orders', ...more });
const run = (lo, hi) => Array.from({ length: hi - lo + 1 }, (_, i) => ev(lo + i));
const shown = (items) => items.map((x) => ('gap' in x ? `-${x.gap}${x.gone ? '!' : ''}` : x.seq));

test('what follows on is one span; what is missing is a row with its number', () => {
  const r = new Rows();
  r.add(run(5, 7), 5, 7);
  r.add(run(8, 8), 8, 8);
  r.add(run(20, 21), 20, 21);
  assert.deepEqual(shown(r.items()), [21, 20, '-11', 8, 7, 6, 5]);
  assert.deepEqual([r.oldest, r.newest], [5, 21]);
});

test('a gap is filled from its newer end, and one that the server forgot says so', () => {
  const r = new Rows();
  r.add(run(1, 2), 1, 2);
  r.add(run(10, 10), 10, 10);
  r.add(run(7, 9), 7, 9);
  assert.deepEqual(shown(r.items()), [10, 9, 8, 7, '-4', 2, 1]);
  r.gone.add(3);
  assert.deepEqual(shown(r.items()), [10, 9, 8, 7, '-4!', 2, 1]);
  r.add(run(3, 6), 3, 6);
  assert.deepEqual(shown(r.items()), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  r.add(run(3, 6), 3, 6);
  assert.equal(r.items().length, 10, 'the same again changes nothing');
});

test('of a filter only what passes is there, and gaps are what was not looked at', () => {
  const r = new Rows(), f = { type: 'placed', subject: '', stream: '', node: 'orders', text: '' };
  r.add([ev(9)], 4, 12);
  r.add([ev(20)], 18, 20);
  assert.deepEqual(shown(r.items()), [20, '-5', 9]);
  assert.deepEqual([passes(f, ev(1)), passes(f, ev(1, { node: 'x' })), passes(f, ev(1, { type: 'order.refused.v1' }))], [true, false, false]);
});

test('a gap before all that passes is still said', () => {
  const r = new Rows();
  r.add([], 1, 3);
  r.add([ev(9)], 9, 9);
  assert.deepEqual(shown(r.items()), [9, '-5']);
});

test('frozen, nothing newer is shown', () => {
  const r = new Rows();
  r.add(run(1, 3), 1, 3);
  r.add(run(4, 5), 4, 5);
  r.add(run(9, 9), 9, 9);
  assert.deepEqual(shown(r.items(3)), [3, 2, 1]);
  assert.deepEqual(shown(r.items()), [9, '-3', 5, 4, 3, 2, 1]);
});

test('what is kept is bounded: the oldest go', () => {
  const r = new Rows();
  for (let i = 0; i < KEPT + 500; i += 100) r.add(run(i + 1, i + 100), i + 1, i + 100);
  assert.deepEqual([r.events.length, r.oldest, r.newest], [KEPT, 501, KEPT + 500]);
});

test('a type has one shape in all its versions', () => {
  assert.equal(shapeOf('order.placed.v1'), shapeOf('order.placed.v2'));
  assert.equal(new Set(['order.placed.v1', 'order.confirmed.v1', 'user.registered.v1', 'stock.reserved.v1', 'users.answered.v1'].map(shapeOf)).size > 2, true);
});
