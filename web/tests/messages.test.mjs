import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { detail } from '../static/js/answers.js';
import { frame, parse } from '../static/js/messages.js';
import { FrameError } from '../static/js/parse.js';
import { apply, empty } from '../static/js/world.js';

test('what is not a frame is rejected, with the place', () => {
  for (const [text, where] of [
    ['{', /not JSON/], ['[]', /frame is not an object/], ['{}', /frame.rev/], ['{"rev":1,"full":true}', /no system/],
    ['{"rev":1,"nodes":{}}', /frame.nodes is not a list/], ['{"rev":1,"nodes":[{}]}', /frame.nodes\[0\].id is missing/],
    ['{"rev":1,"nodes":[{"id":7}]}', /frame.nodes\[0\].id is not a string/], ['{"rev":1,"edges":[{"id":"x","kind":"odd","from":"a","to":"b"}]}', /edges\[0\].kind/],
    ['{"rev":1,"at":"soon"}', /frame.at is not a time/], ['{"rev":1,"nodes":[{"id":"a","faults":["slow"]}]}', /faults\[0\] is not an object/],
    ['{"rev":1,"nodes":[{"id":"a","faults":[{"latency_ms":3}]}]}', /faults\[0\].kind is missing/], ['{"rev":1,"nodes":[{"id":"a","outbox":3}]}', /outbox is not an object/],
    ['{"rev":1,"cells":[{"feature":"f","pattern":"p","because":"x"}]}', /because is not a list of strings/],
    ['{"rev":1,"cells":[{"feature":"f","pattern":"p","cost":{"hops":"3"}}]}', /cost.hops is not a number/], ['{"rev":1,"load":{"patterns":{"sync":"1"}}}', /load.patterns.sync is not a number/],
  ]) assert.throws(() => parse(text), (e) => e instanceof FrameError && where.test(e.message), text);
});

test('absent parts have their zero values; Go’s zero time is none', () => {
  const f = frame({ rev: 1, nodes: [{ id: 'a', since: '0001-01-01T00:00:00Z', state: 'odd', faults: null }] });
  assert.deepEqual(f.nodes[0].outbox, { waiting: 0, more: false, oldest_ms: 0 });
  assert.deepEqual([f.nodes[0].state, f.nodes[0].faults, f.nodes[0].rate], ['unknown', [], 0]);
  assert.ok(Number.isNaN(f.nodes[0].since));
});

test('the cost of a cell is read, with and without a request; what is not one is rejected', () => {
  const cell = { feature: 'buy', pattern: 'sync', state: 'works' };
  assert.equal(detail(JSON.stringify({ cell, needs: ['orders'], waterfall: null })).waterfall, null);
  const d = detail(JSON.stringify({ cell, waterfall: { trace: 't', took_ms: 3, hops: [{ to: 'orders', start_ms: 0, took_ms: 3 }], messages: [] } }));
  assert.deepEqual([d.needs, d.waterfall.hops[0].from, d.waterfall.hops[0].depth], [[], '', 1]);
  assert.throws(() => detail(JSON.stringify({ cell, waterfall: { hops: {} } })), (e) => e instanceof FrameError && /hops is not a list/.test(e.message));
  assert.throws(() => detail('<html>'), FrameError);
});

const golden = new URL('../../viz/world/testdata/frames/', import.meta.url);
for (const name of existsSync(golden) ? readdirSync(golden).filter((n) => n.endsWith('.json')).sort() : []) {
  test(`the server's golden frame ${name} is understood`, () => {
    const read = JSON.parse(readFileSync(new URL(name, golden), 'utf8'));
    let world = empty();
    for (const raw of Array.isArray(read) ? read : [read]) {
      const f = frame(raw);
      if (f.full) assert.ok(apply(world, f).world.nodes.size > 0);
      world = apply(world, f).world;
    }
  });
}
