import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dots, MOST } from '../static/js/dots.js';
import { beam, light, strength } from '../static/js/flow.js';
import { line, track } from '../static/js/geometry.js';
import { Light } from '../static/js/light.js';
import { Types } from '../static/js/types.js';

const way = track(line(0, 0, 400, 0));
const look = { colour: '#fff', speed: 0.2, r: 3, fade: 0, wait: 0, over: 0, alpha: 1 };

test('few are dots, many a stream of light, and about eight a second are half of each', () => {
  assert.deepEqual([0, 1, 5, NaN].map(light), [0, 0, 0, 0]);
  assert.deepEqual([12, 100, 1e6].map(light), [1, 1, 1]);
  assert.ok(Math.abs(light(8) - 0.5) < 0.1);
});

test('a stream grows denser, wider and brighter with the rate, and no flash jumps where the gap halves', () => {
  const at = (rate) => ({ ...beam(rate, { gap: 0, between: 0, width: 0, alpha: 0 }) });
  let before = at(5);
  for (let r = 5; r < 20000; r *= 1.02) {
    const b = at(r);
    assert.ok(b.width >= before.width && b.alpha >= before.alpha && b.gap <= before.gap);
    if (b.gap < before.gap) assert.ok(b.gap * 2 === before.gap && before.between > 0.9 && b.between < 0.1, `at ${r}`);
    before = b;
  }
  assert.equal(before.gap, 12);
  assert.deepEqual([3, 12, 150, 1500, 15000, 1e7].map(strength), ['', '1', '2', '3', '4', '4']);
});

test('dots conserve what was counted, and are never more than the pool', () => {
  const dots = new Dots();
  for (const n of [1, 3, 40, 1000]) dots.send(way, n, look);
  assert.equal(dots.dots.reduce((n, d) => n + d.count, 0), 1044);
  for (let i = 0; i < 1000; i++) dots.send(way, 2, look);
  assert.equal(dots.dots.length, MOST);
  assert.equal(dots.dots.reduce((n, d) => n + d.count, 0), 3044);
  assert.ok(dots.step(1));
  assert.ok(!dots.step(1e6), 'all have arrived');
  dots.send(way, 5, { ...look, alpha: 0, after: 0 });
  assert.equal(dots.dots.length, 0, 'what a stream of light shows is no dot');
});

test('a stream of light comes and goes softly, and the loop can sleep when none is left', () => {
  const l = new Light();
  assert.ok(!l.step(16));
  l.set('a', way, 0, '#fff', 3, 1);
  l.sweep();
  assert.equal(l.beams.size, 0, 'too few for a stream');
  l.set('a', way, 0, '#fff', 100, 1);
  l.sweep();
  l.step(16);
  const b = l.beams.get('a');
  assert.ok(b.shown > 0 && b.shown < 0.2);
  l.step(1000);
  assert.equal(b.shown, 1);
  l.frozen = true;
  assert.ok(!l.step(16), 'it stands still');
  l.frozen = false;
  l.sweep(); // not set again: it is over
  assert.ok(l.step(16));
  l.step(1000);
  assert.equal(l.beams.size, 0);
});

test('each type of a stream has its shape, readers get them in the order of the log, and more than four are one', () => {
  const t = new Types(), event = (type, node = 'n', stream = 's') => ({ type, node, stream });
  t.see([event('a'), event('b'), event('a', 'm'), event('')]);
  assert.deepEqual([t.shape('s', 'a'), t.shape('s', 'b'), t.shape('s', 'none'), t.shape('other', 'a')], [0, 1, 0, 0]);
  t.at.set('take', 0);
  assert.deepEqual([1, 2, 3, 4].map(() => t.next('take', 's', '')), [0, 1, 0, 0]);
  t.see([event('b')]);
  assert.equal(t.next('take', 's', ''), 1);
  assert.equal(t.next('emit', 's', 'n'), 1);
  assert.match(t.words('s'), /● a, ◆ b/);
  t.see(['c', 'd', 'e'].map((x) => event(x)));
  assert.deepEqual([t.shape('s', 'b'), t.words('s')], [0, '']);
});
