import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame } from '../static/js/messages.js';
import { Lens } from '../static/js/lens.js';
import { apply, empty } from '../static/js/world.js';
import { state } from './outage.mjs';

const { world } = apply(empty(), frame(state('calm')));
const shown = (pattern, kind) => {
  const lens = new Lens(world, pattern);
  return [...world.edges.values()].filter((e) => e.kind === kind && !lens.hidesEdge(e)).map((e) => e.id);
};

test('without a choice, or with one that the system does not know, all is shown', () => {
  for (const id of ['', 'none']) {
    const lens = new Lens(world, id);
    assert.ok([...world.edges.values()].every((e) => !lens.hidesEdge(e)));
    assert.ok([...world.nodes.values()].every((n) => !lens.hidesNode(n)));
    assert.ok([...world.streams.keys()].every((s) => !lens.hidesLane(s)));
  }
});

for (const [id, calls, reaches, lanes] of [
  ['monolith', 1, 0, []], ['shared', 6, 8, []], ['sync', 14, 0, []], ['bus', 6, 0, ['requests', 'replies']],
  ['copies', 6, 0, ['users', 'catalog', 'stock', 'orders']],
]) {
  test(`${id} shows its own ways alone`, () => {
    const lens = new Lens(world, id);
    assert.equal(shown(id, 'call').length, calls);
    assert.equal(shown(id, 'reach').length, reaches);
    assert.deepEqual([...world.streams.keys()].filter((s) => !lens.hidesLane(s)), lanes);
    for (const e of [...shown(id, 'emit'), ...shown(id, 'take')]) assert.ok(lanes.some((s) => e.includes(s)), e);
    assert.equal(shown(id, 'emit').length > 0, lanes.length > 0);
    assert.equal(lens.hidesNode(world.nodes.get('bus')), lanes.length === 0);
    assert.equal(lens.hidesNode(world.nodes.get('monolith-db')), id !== 'monolith');
    assert.ok(!lens.hidesNode(world.nodes.get('shoppers')));
  });
}
