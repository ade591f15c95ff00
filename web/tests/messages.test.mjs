import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FrameError, frame, parse } from '../static/js/messages.js';
import { apply, empty } from '../static/js/world.js';

test('what is not a frame is rejected, with the place', () => {
  for (const [text, where] of [
    ['{', /not JSON/], ['[]', /frame is not an object/], ['{}', /frame.rev/], ['{"rev":1,"full":true}', /no system/],
    ['{"rev":1,"nodes":{}}', /frame.nodes is not a list/], ['{"rev":1,"nodes":[{}]}', /frame.nodes\[0\].id is missing/],
    ['{"rev":1,"nodes":[{"id":7}]}', /frame.nodes\[0\].id is not a string/], ['{"rev":1,"edges":[{"id":"x","kind":"odd","from":"a","to":"b"}]}', /edges\[0\].kind/],
    ['{"rev":1,"at":"soon"}', /frame.at is not a time/],
  ]) assert.throws(() => parse(text), (e) => e instanceof FrameError && where.test(e.message), text);
});

test('absent parts have their zero values; Go’s zero time is none', () => {
  const f = frame({ rev: 1, nodes: [{ id: 'a', since: '0001-01-01T00:00:00Z', state: 'odd', faults: null }] });
  assert.deepEqual([f.nodes[0].state, f.nodes[0].faults, f.nodes[0].rate], ['unknown', [], 0]);
  assert.ok(Number.isNaN(f.nodes[0].since));
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
