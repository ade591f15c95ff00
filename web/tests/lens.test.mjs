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

test('a service that joined later belongs to the patterns whose streams it reads', () => {
  const f = state('calm');
  f.system.later = ['tips'];
  f.nodes.push({ id: 'tips', kind: 'service', state: 'up' }, { id: 'tips-db', kind: 'store', owner: 'tips', state: 'up' });
  f.edges.push({ id: 'take:orders>tips', kind: 'take', from: 'orders', to: 'tips' });
  const { world: w } = apply(empty(), frame(f));
  for (const [pattern, hidden] of [['copies', false], ['sync', true], ['bus', true], ['monolith', true]]) {
    const lens = new Lens(w, pattern);
    for (const id of ['tips', 'tips-db']) assert.equal(lens.hidesNode(w.nodes.get(id)), hidden, `${id} in ${pattern}`);
    assert.equal(lens.hidesEdge(w.edges.get('take:orders>tips')), hidden, pattern);
  }
});
