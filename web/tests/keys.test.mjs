import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEYS, keyOf, single } from '../static/js/keys.js';
import { neighbour } from '../static/js/neighbour.js';
import { changes } from '../static/js/announce.js';

const press = (key, o = {}) => ({ key, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...o });
const act = (e, singles = true) => keyOf(e, singles)?.act;

test('each key does one thing, and every line of the sheet says what', () => {
  const seen = new Set();
  for (const k of KEYS) {
    assert.ok(k.words && k.show, k.act);
    for (const key of k.keys) {
      const name = `${key} ${k.shift ?? false}`;
      assert.ok(!seen.has(name), `${name} stands twice`);
      seen.add(name);
      assert.equal(act(press(key, { shiftKey: k.shift ?? false })), k.act);
    }
  }
});

test('Shift matters for letters, not for signs; other modifiers belong to the browser', () => {
  assert.equal(act(press('s')), 'start');
  assert.equal(act(press('S', { shiftKey: true })), 'stop');
  assert.equal(act(press('S')), 'start', 'caps lock is not Shift');
  assert.equal(act(press('K', { shiftKey: true })), undefined);
  assert.equal(act(press('?', { shiftKey: true })), 'sheet');
  assert.equal(act(press('1', { shiftKey: true })), 'lens', 'French keyboards');
  assert.equal(act(press('ArrowLeft', { shiftKey: true })), undefined);
  for (const m of ['ctrlKey', 'altKey', 'metaKey']) assert.equal(act(press('k', { [m]: true })), undefined, m);
  assert.equal(act(press('x')), undefined);
});

test('with single keys off only the others work', () => {
  assert.deepEqual(KEYS.filter((k) => !single(k)).map((k) => k.act), ['go', 'inspect']);
  for (const k of KEYS) assert.equal(act(press(k.keys[0], { shiftKey: k.shift ?? false }), false), single(k) ? undefined : k.act);
});

const box = (x, y, w = 20, h = 10) => ({ left: x, top: y, right: x + w, bottom: y + h });

test('the neighbour is the nearest straight ahead', () => {
  // a b c
  //  d  e
  const [a, b, c, d, e] = [box(0, 0), box(40, 0), box(80, 0), box(10, 50), box(80, 50)], all = [a, b, c, d, e];
  const to = (from, way) => neighbour(from, all, way);
  assert.equal(to(a, 'right'), 1);
  assert.equal(to(c, 'left'), 1);
  assert.equal(to(a, 'down'), 3);
  assert.equal(to(c, 'down'), 4);
  assert.equal(to(e, 'left'), 3);
  assert.equal(to(e, 'up'), 2);
  assert.equal(to(a, 'left'), -1);
  assert.equal(to(a, 'up'), -1);
  assert.equal(neighbour(a, [], 'down'), -1);
});

test('a box within another is reached and left again', () => {
  const card = box(0, 0, 100, 60), store = box(70, 10, 25, 40), next = box(120, 0, 100, 60), all = [card, store, next];
  assert.equal(neighbour(card, all, 'right'), 1);
  assert.equal(neighbour(store, all, 'right'), 2);
  assert.equal(neighbour(store, all, 'left'), 0);
});

test('what changed is told once and together', () => {
  const m = (o) => new Map(Object.entries(o));
  assert.equal(changes(m({ a: '' }), m({ a: '' })), '');
  assert.equal(changes(m({ a: '', b: '' }), m({ a: 'a is dead', b: '' })), 'a is dead');
  assert.equal(changes(m({ a: 'a is dead', b: '' }), m({ a: '', b: 'b is paused' })), 'b is paused. a is well again');
  assert.equal(changes(m({ a: 'a is dead', b: 'b is dead' }), m({ a: '', b: '' })), 'a and b are well again');
  assert.equal(changes(m({}), m({ a: 'a is dead' })), '', 'one that was not there before is on the page');
  const [up, down] = [{}, {}];
  for (const id of 'abcdef') [up[id], down[id]] = ['', `${id} is dead`];
  assert.equal(changes(m(up), m(down)), 'a is dead, b is dead, c is dead and 3 more');
  assert.equal(changes(m(down), m(up)), 'a, b, c and 3 more are well again');
});
