import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joined, line, pointAt, rounded, svgPath, track, vertical } from '../static/js/geometry.js';

test('a straight track is as long as its line, and its points are where they should be', () => {
  const t = track(line(0, 0, 30, 40));
  assert.ok(Math.abs(t.length - 50) < 0.01);
  const p = { x: 0, y: 0 };
  for (const [d, x, y] of [[-5, 0, 0], [0, 0, 0], [25, 15, 20], [50, 30, 40], [99, 30, 40]]) {
    pointAt(t, d, p);
    assert.ok(Math.hypot(p.x - x, p.y - y) < 0.1, `${d}: ${p.x},${p.y}`);
  }
});

test('points on a curve are at even distances', () => {
  const t = track(vertical([0, 0], 80, 120));
  const d = [];
  for (let i = 1; i < t.n; i++) d.push(Math.hypot(t.xy[i * 2] - t.xy[i * 2 - 2], t.xy[i * 2 + 1] - t.xy[i * 2 - 1]));
  assert.ok(Math.max(...d) - Math.min(...d) < 0.2);
});

test('rounded corners keep both ends; joined chains run through both', () => {
  const c = rounded([0, 0, 50, 0, 50, 50], 10);
  assert.deepEqual([c[0], c[1], ...c.slice(-2)], [0, 0, 50, 50]);
  assert.ok(track(c).length < 100 && track(c).length > 90);
  const j = joined(line(0, 0, 10, 0), line(10, 0, 10, 20));
  assert.ok(Math.abs(track(j).length - 30) < 0.01);
  assert.match(svgPath(j), /^M0,0 C[\d., ]+/);
});
