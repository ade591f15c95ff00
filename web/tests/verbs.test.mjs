import assert from 'node:assert/strict';
import { test } from 'node:test';
import { main, offered, others } from '../static/js/verbs.js';

const all = ['kill', 'stop', 'start', 'pause', 'resume', 'slow', 'cut', 'errors', 'heal'];
const node = (state, faults = [], verbs = all) => ({ state, faults, verbs, replicas: [] });
const slow = { kind: 'slow', latency_ms: 300, share: 0 }, cut = { kind: 'cut', latency_ms: 0, share: 0 };

test('only what would do something is offered', () => {
  assert.deepEqual(offered(node('down')), ['start']);
  assert.deepEqual(offered(node('paused')), ['kill', 'resume', 'slow', 'errors', 'cut']);
  assert.deepEqual(offered(node('up')), ['kill', 'pause', 'stop', 'slow', 'errors', 'cut']);
  assert.deepEqual(offered(node('up', [cut])), ['kill', 'pause', 'stop', 'slow', 'errors', 'heal'], 'cut off is no more to be had, heal is');
  assert.deepEqual(offered(node('up', [], ['kill', 'stop', 'start'])), ['kill', 'stop']);
});

test('the main verbs stand at the node, all others behind "more", none twice', () => {
  assert.deepEqual(main(node('up'), 2), ['kill', 'pause']);
  assert.deepEqual(main(node('up', [], ['kill', 'stop', 'start']), 2), ['kill', 'stop']);
  assert.deepEqual(others(node('up', [], ['kill', 'stop', 'start']), 2), [], 'nothing is left for "more"');
  assert.deepEqual(main(node('paused'), 2), ['resume']);
  assert.deepEqual(main(node('down'), 2), ['start']);
  assert.deepEqual(main(node('up', [slow]), 1), ['heal'], 'with room for one, the way back');
  assert.deepEqual(main(node('down', [slow]), 1), ['start']);
  for (const n of [node('up'), node('up', [slow]), node('paused', [cut]), node('down', [slow]), node('unknown')]) {
    for (const room of [1, 2]) assert.deepEqual([...main(n, room), ...others(n, room)].sort(), offered(n).sort());
  }
});

test('of several replicas what would do something to one of them is offered; the way back stands first', () => {
  const several = (...states) => ({ ...node('up'), replicas: states.map((state, i) => ({ id: String(i + 1), state })) });
  assert.deepEqual(offered(several('up', 'up')), offered(node('up')));
  assert.deepEqual(main(several('up', 'down'), 2), ['start', 'kill']);
  assert.deepEqual(main(several('up', 'paused'), 2), ['resume']);
  assert.deepEqual(others(several('up', 'paused', 'down'), 2), ['kill', 'start', 'pause', 'stop', 'slow', 'errors', 'cut']);
});
