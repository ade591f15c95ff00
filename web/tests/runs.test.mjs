import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gone } from '../static/js/log.js';
import { frame } from '../static/js/messages.js';
import { FrameError } from '../static/js/parse.js';
import { logReply, nodeReply } from '../static/js/replies.js';
import { alone, lit, MOST, replicaWords } from '../static/js/replicas.js';
import { figures, useWords } from '../static/js/use.js';
import { apply, empty } from '../static/js/world.js';
import { state } from './outage.mjs';

const { world } = apply(empty(), frame(state('replicas')));
const now = world.at;

test('use, replicas and control are read; what is absent is none, what is not one is rejected', () => {
  const n = world.nodes.get('purchases');
  assert.deepEqual(n.use, { cpu: 0.06, cpu_limit: 0.5, memory: 16 << 20, memory_limit: 64 << 20 });
  assert.deepEqual(n.replicas.map((r) => [r.id, r.state, r.pending, r.reason]), [['1', 'up', 1, ''], ['2', 'down', 3, 'killed'], ['3', 'up', 0, '']]);
  const bare = frame({ rev: 1, nodes: [{ id: 'a', use: null }, { id: 'b', replicas: [{ id: '1', state: 'odd', pending: -1 }] }] });
  assert.deepEqual([bare.nodes[0].use, bare.nodes[0].replicas, bare.control], [null, [], null]);
  assert.deepEqual([bare.nodes[1].replicas[0].state, bare.nodes[1].replicas[0].pending, bare.nodes[1].replicas[0].faults], ['unknown', -1, []]);
  for (const [part, where] of [[{ nodes: [{ id: 'a', use: 3 }] }, /nodes\[0\].use is not an object/], [{ nodes: [{ id: 'a', use: { cpu: '1' } }] }, /use.cpu is not a number/],
    [{ nodes: [{ id: 'a', replicas: [{}] }] }, /replicas\[0\].id is missing/], [{ nodes: [{ id: 'a', replicas: [{ id: '1', pending: '3' }] }] }, /replicas\[0\].pending is not a number/],
    [{ control: true }, /frame.control is not an object/], [{ control: { why: 3 } }, /control.why is not a string/]]) {
    assert.throws(() => frame({ rev: 1, ...part }), (e) => e instanceof FrameError && where.test(e.message), JSON.stringify(part));
  }
});

test('whether nodes can be acted on holds until it is said otherwise', () => {
  const looks = apply(empty(), frame(state('looking'))).world;
  assert.deepEqual(looks.control, { can: false, why: 'This dashboard watches a system that somebody else runs.' });
  const same = apply(looks, frame({ from: 100, rev: 101 })).world;
  assert.equal(same.control, looks.control);
  assert.deepEqual(apply(same, frame({ from: 101, rev: 102, control: { can: true } })).world.control, { can: true, why: '' });
  assert.equal(world.control, null);
});

test('members of groups and lines of a log are read', () => {
  const answers = JSON.parse(readFileSync(new URL('../testdata/inspect.json', import.meta.url), 'utf8'));
  const of = (path) => JSON.stringify(answers[`/api/v1/${path}`]);
  assert.deepEqual(nodeReply(of('nodes/purchases')).takes[1].members.map((m) => [m.replica, m.pending]), [['1', 1], ['2', 3], ['3', 0], ['', 0]]);
  assert.deepEqual(nodeReply(of('nodes/orders')).takes[0].members, []);
  const { lines } = logReply(of('nodes/purchases/logs'));
  assert.ok(Number.isNaN(lines.at(-1).at));
  assert.deepEqual(logReply('{"lines":[]}').lines, []);
  assert.throws(() => logReply('{"lines":["a"]}'), (e) => e instanceof FrameError && /lines\[0\] is not an object/.test(e.message));
});

test('what is used in numbers, against a limit where there is one', () => {
  const use = (cpu, cpu_limit, memory, memory_limit) => ({ cpu, cpu_limit, memory, memory_limit });
  assert.equal(useWords(null), '');
  assert.equal(useWords(use(0.031, 0.5, 14.2 * 2 ** 20, 64 * 2 ** 20)), '0.03 of 0.5 cpu, 14 of 64 MB');
  assert.equal(useWords(use(0, 0, 900 * 2 ** 10, 2 ** 30)), '0 cpu, 900 kB of 1 GB');
  assert.equal(useWords(use(12.4, 0, 1.5 * 2 ** 30, 0)), '12 cpu, 1.5 GB');
  assert.equal(useWords(use(0.45, 0.5, 57 * 2 ** 20, 64 * 2 ** 20)), '0.45 of 0.5 cpu (nearly all), 57 of 64 MB');
  assert.deepEqual(figures(use(0.03, 0, 32 * 2 ** 20, 64 * 2 ** 20)).map((f) => [f.brief, f.share]), [['0.03 cpu', 0], ['32 MB', 0.5]]);
});

test('a replica in words', () => {
  const words = world.nodes.get('purchases').replicas.map((r) => replicaWords(r, now));
  assert.deepEqual(words, ['up for 10 minutes, holds 1 event', 'dead for 12 seconds, holds 3 events', 'up for 10 minutes']);
  const r = { id: '1', state: 'down', since: NaN, reason: 'stopped by hand', pending: -1, faults: [] };
  assert.equal(replicaWords(r, now), 'stopped');
  assert.equal(replicaWords({ ...r, state: 'up', faults: [{ kind: 'cut', latency_ms: 0, share: 0 }] }, now), 'up, cut off');
  const n = alone(world.nodes.get('purchases'), r);
  assert.deepEqual([n.state, n.replicas, n.id], ['down', [], 'purchases']);
});

test('with too many replicas those that are not up have a light, in their order', () => {
  const all = Array.from({ length: 14 }, (_, i) => ({ id: String(i), state: i % 4 === 3 ? 'down' : 'up' }));
  assert.deepEqual(lit(all.slice(0, MOST)), all.slice(0, MOST));
  assert.deepEqual(lit(all).map((r) => r.id), ['0', '1', '2', '3', '4', '5', '6', '7', '11']);
  assert.equal(lit(all.map((r) => ({ ...r, state: 'down' }))).length, MOST);
});

test('lines that were there already are found again', () => {
  const l = (...texts) => texts.map((text) => ({ at: NaN, replica: '', text }));
  assert.equal(gone([], l('a')), 0);
  assert.equal(gone(l('a', 'b', 'c'), l('b', 'c', 'd')), 1);
  assert.equal(gone(l('a', 'a', 'b'), l('a', 'a', 'b', 'a')), 0);
  assert.equal(gone(l('a', 'b'), l('x', 'y')), 2);
  assert.equal(gone(l('a', 'b'), []), 2);
  assert.equal(gone([{ at: 1, replica: '1', text: 'a' }], [{ at: 1, replica: '2', text: 'a' }]), 1);
});
