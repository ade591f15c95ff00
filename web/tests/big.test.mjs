import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bands, GROUPS, MANY, troubled } from '../static/js/bands.js';
import { layout } from '../static/js/layout.js';
import { call, crossing, reach } from '../static/js/routes.js';
import { client, services, streams } from './big.mjs';

const room = { width: 964, height: 752 }, phone = { width: 390, height: 0 };
const overlap = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
const lay = (n, m, space = room, o = {}) => {
  const all = streams(m);
  return layout([...services(n), client], all.map((s) => s.name), space, new Set(), { bands: bands(all, o.open, o.show, ...(space === phone ? [8, 8] : [])), ...o });
};
const at = (l) => new Map([...l.places].map(([id, p]) => [id, `${p.x},${p.y}`]));

for (const n of [6, 20, 60, 200]) {
  for (const space of [room, phone]) {
    test(`${n} services and 100 streams at ${space.width} wide: nothing overlaps, all has a place, and again the same`, () => {
      const l = lay(n, 100, space), boxes = [...l.places];
      assert.equal(boxes.length, n + 1);
      assert.equal(l.lanes.size, 100);
      assert.ok(l.bands.length <= (space === phone ? 8 : GROUPS));
      boxes.forEach(([id, a], i) => {
        assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.w <= l.width && a.y + a.h <= l.height, `${id} is within the map`);
        assert.ok(!overlap(a, l.river), `${id} stands beside the river`);
        for (const [other, b] of boxes.slice(i + 1)) assert.ok(!overlap(a, b), `${id} and ${other}`);
      });
      for (const [s, bed] of l.lanes) assert.ok(bed.y1 >= l.river.y && bed.y2 <= l.river.y + l.river.h, s);
      assert.deepEqual(lay(n, 100, space), l);
    });
  }

  test(`${n} services: one more, and one less, moves no other`, () => {
    const l = lay(n, 100), more = lay(n + 1, 100, room, { keep: l }), before = at(l), after = at(more);
    for (const [id, p] of before) assert.equal(after.get(id), p, id);
    const box = more.places.get(`s${n}`);
    for (const [id, p] of more.places) assert.ok(id === `s${n}` || !overlap(p, box), id);
    const fewer = layout([...services(n).slice(2), client], streams(100).map((s) => s.name), room, new Set(), { bands: bands(streams(100)), keep: l });
    for (const [id, p] of at(fewer)) assert.equal(before.get(id), p, id);
  });
}

test('a stream more, a group that opens, and a newcomer beside a gap move no card', () => {
  const l = lay(20, 100);
  for (const m of [lay(20, 101, room, { keep: l }), lay(20, 100, room, { keep: l, open: new Set(['group:k3']) })]) assert.deepEqual(at(m), at(l));
});

test('what was put somewhere by hand stands there, within the map, and its connections follow', () => {
  const l = lay(6, 6, room, { pins: new Map([['s0', { x: 300, y: 420 }], ['s5', { x: 99999, y: -50 }], ['gone', { x: 1, y: 1 }]]) });
  const p = l.places.get('s0');
  assert.deepEqual([p.x, p.y, p.pinned, p.bank], [300, 420, true, p.y + p.h / 2 < l.river.y + l.river.h / 2 ? -1 : 1]);
  const far = l.places.get('s5');
  assert.deepEqual([far.x, far.y, far.bank], [l.width - far.w, 0, -1]);
  const [x, y] = crossing(l, 's0', 'd0.e0', 'emit').chain;
  assert.ok(x >= p.x && x <= p.x + p.w && (y === p.y || y === p.y + p.h));
  for (const c of [call(l, 's0', 's1'), call(l, 's1', 's0')]) assert.ok(c.every(Number.isFinite));
  const [ex, ey] = reach(l, 's1', 's0-db').slice(-2);
  const dx = Math.max(p.x - ex, 0, ex - p.x - p.w), dy = Math.max(p.y - ey, 0, ey - p.y - p.h);
  assert.ok(Math.abs(Math.hypot(dx, dy) - 9) < 0.01);
  assert.equal(lay(6, 6, phone, { pins: new Map([['s0', { x: 300, y: 420 }]]) }).places.get('s0').pinned, undefined, 'the phone has one column');
});

test('few streams have a row each; many are grouped by head, else by kind, else in runs', () => {
  assert.ok(bands(streams(MANY)).every((b) => !b.group));
  const byHead = bands(streams(100, 10));
  assert.deepEqual([byHead.length, byHead[0].id, byHead[0].streams.length], [10, 'group:d0', 10]);
  const byKind = bands(streams(100, 100));
  assert.deepEqual(byKind.map((b) => b.id), ['group:k0', 'group:k1', 'group:k2', 'group:k3', 'group:k4', 'group:k5']);
  const runs = bands(Array.from({ length: 50 }, (_, i) => ({ name: `x${i}`, kind: '' })));
  assert.ok(runs.length <= GROUPS && runs[0].group);
  for (const b of [byHead, byKind, runs]) assert.equal(new Set(b.flatMap((x) => x.streams)).size, b.reduce((n, x) => n + x.streams.length, 0), 'each once');
});

test('an open group, a searched stream and one in trouble have rows of their own', () => {
  const b = bands(streams(50, 10), new Set(['group:d1']), new Set(['d2.e3']));
  assert.deepEqual(b.slice(1, 9).map((x) => x.id), ['group:d1', 'd1.e0', 'd1.e1', 'd1.e2', 'd1.e3', 'd1.e4', 'group:d2', 'd2.e3']);
  const l = lay(20, 100, room, { show: new Set(['d2.e3']) }); // grouped by kind there
  assert.notEqual(l.lanes.get('d2.e3').index, l.lanes.get('d2.e2').index);
});

test('a stream is in trouble once its entries wait for long, and until none does', () => {
  const take = (from, waiting, oldest_ms, trimmed_unread = false) => ({ kind: 'take', from, waiting, oldest_ms, trimmed_unread });
  const none = new Set();
  assert.deepEqual([...troubled([take('a', 900, 100), take('b', 3, 9000), take('c', 0, 0, true), take('d', -1, 0)], none, 4)], ['b', 'c']);
  assert.deepEqual([...troubled([take('a', 2, 10)], new Set(['a']), 4)], ['a']);
  assert.deepEqual([...troubled([take('a', 0, 0)], new Set(['a']), 4)], []);
  assert.equal(troubled(['a', 'b', 'c'].map((s) => take(s, 9, 9000)), none, 2).size, 2);
});
