import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

globalThis.location = { hash: '', pathname: '/', search: '' };
globalThis.addEventListener = () => {};
const { reachOf, stepSentence } = await import('../static/js/chain.js');
const { deadOf } = await import('../static/js/deadmarks.js');
const { opened, rawText, settled } = await import('../static/js/eventview.js');
const { KINDS } = await import('../static/js/address.js');
const { parts, pathOf } = await import('../static/js/inspect.js');
const { frame } = await import('../static/js/messages.js');
const { bytes, decided, odd } = await import('../static/js/odd.js');
const { FrameError } = await import('../static/js/parse.js');
const { deadReply, edgeReply, eventReply, nodeReply, streamReply } = await import('../static/js/replies.js');
const { leaf } = await import('../static/js/tree.js');
const { apply, empty } = await import('../static/js/world.js');
const { state } = await import('./outage.mjs');

const answers = JSON.parse(readFileSync(new URL('../testdata/inspect.json', import.meta.url), 'utf8'));
const of = (path) => JSON.stringify(answers[`/api/v1/${path}`]);
const { world } = apply(empty(), frame(state('dead')));

test('answers are read, and what is none is rejected with the place', () => {
  assert.equal(nodeReply(of('nodes/orders')).takes[2].dead, 3);
  assert.equal(nodeReply(of('nodes/orders')).owner, null);
  assert.equal(streamReply(of('streams/orders')).groups[1].lag_ms, 11000);
  const e = eventReply(of('events/e-1'));
  assert.deepEqual([e.type, e.deliveries[1].after_ms, e.chain.steps.length], ['order.placed.v1', null, 7]);
  assert.equal(eventReply(JSON.stringify({ seq: 1, chain: null, deliveries: [] })).chain, null);
  assert.equal(edgeReply(of('edges/take:orders>purchases')).last[0].event.id, 'e-1');
  assert.equal(deadReply(of('deadletters')).dead[0].attempts, 5);
  for (const [f, text, where] of [
    [nodeReply, '{}', /answer.node is not an object/], [nodeReply, '{"node":{"id":"a"},"routes":[{"rate":"1"}]}', /routes\[0\].rate is not a number/],
    [eventReply, '{"deliveries":[{}]}', /deliveries\[0\].service is missing/], [deadReply, '<html>', /not JSON/],
  ]) assert.throws(() => f(text), (e2) => e2 instanceof FrameError && where.test(e2.message), text);
});

test('an envelope is told from its payload; an entry of another shape is shown as it is', () => {
  const o = opened(answers['/api/v1/events/e-1'].raw);
  assert.deepEqual([o.shaped, o.payload.id, o.fields.map(([k]) => k).includes('data')], [true, 'o-041', false]);
  for (const raw of ['plain', { a: 1 }, [1], null]) assert.deepEqual(opened(raw), { fields: [], payload: raw, shaped: false });
  assert.equal(rawText('as it is'), 'as it is');
  assert.equal(leaf('a"b'), '"a\\"b"');
  assert.ok(leaf('x'.repeat(9999)).length < 2100);
});

test('an event is settled once all have it and its chain is whole', () => {
  const e = eventReply(of('events/e-1'));
  assert.equal(settled(e), false);
  const done = { ...e, deliveries: e.deliveries.map((d) => ({ ...d, state: 'has' })) };
  assert.equal(settled(done), false);
  assert.equal(settled({ ...done, chain: { ...e.chain, whole: true } }), true);
});

test('what is odd about an event is said, and what a consumer decided', () => {
  const e = { type: 'order.placed.v1', problem: '', size: 0, again: false };
  assert.deepEqual(odd(e), { name: 'order.placed.v1', why: '', tone: '' });
  assert.equal(odd({ ...e, type: '' }).name, 'no type');
  assert.deepEqual(odd({ ...e, again: true }), { name: '↻ order.placed.v1', why: 'the stream had this event before', tone: 'warned' });
  assert.deepEqual(odd({ ...e, problem: 'not JSON', again: true }), { name: '✕ not JSON', why: 'not JSON', tone: 'bad' });
  assert.deepEqual(odd({ ...e, problem: 'it has too many bytes', size: 1048912 }), { name: '▲ 1.0 MB order.placed.v1', why: 'too large: it has too many bytes', tone: 'bad' });
  assert.deepEqual(odd({ ...e, size: 999499 }), { name: '▲ 999 kB order.placed.v1', why: 'so large that its payload is not kept here', tone: 'warned' });
  assert.deepEqual([bytes(999), bytes(1000), bytes(999500), bytes(2.5e6)], ['999 B', '1 kB', '1.0 MB', '2.5 MB']);
  const d = { state: 'has', reason: '', outcome: '' };
  for (const [of, want] of [
    [{}, ['✓ has it', '']], [{ outcome: 'applied' }, ['✓ applied it', '']], [{ outcome: 'skipped', reason: 'has version 5 already' }, ['↷ skipped: has version 5 already', '']],
    [{ outcome: 'skipped' }, ['↷ skipped: it says no reason', '']], [{ state: 'dead', outcome: 'dead letter', reason: 'no such user' }, ['✉ gave up: dead letter', 'no such user']],
    [{ state: 'waits' }, ['… waits for it', '']], [{ state: 'failed', reason: 'full' }, ['✕ failed, will try again', 'full']], [{ state: 'new one' }, ['? not known', '']],
  ]) assert.deepEqual([decided({ ...d, ...of }).words, decided({ ...d, ...of }).why], want);
  const r = eventReply(of('events/e-13'));
  assert.deepEqual([r.again, r.deliveries[1].outcome, eventReply(of('events/e-11')).size], [true, 'skipped', 1048912]);
  assert.equal(frame(state('odd')).edges.find((x) => x.id === 'take:orders>purchases').missed, 120);
});

test('a chain reaches to the end of its last step, and each is a sentence', () => {
  const { steps } = eventReply(of('events/e-1')).chain;
  assert.equal(Math.round(reachOf(steps) * 10), 143);
  assert.match(stepSentence(steps[0]), /shoppers called orders, POST \/copies\/orders, took 4.1 ms/);
  assert.match(stepSentence(steps[1]), /orders emitted order.placed.v1 of o-041 on orders$/);
  assert.match(stepSentence(steps[4]), /trending took .* failed: the product/);
});

test('the way of an event is its emitter, its lane and who takes it', () => {
  const p = pathOf(world, 'orders', 'orders');
  assert.deepEqual([...p.lanes], ['orders']);
  assert.deepEqual([...p.nodes].sort(), ['bus', 'orders', 'purchases', 'stock', 'trending']);
  assert.deepEqual([...p.edges].sort(), ['emit:orders>orders', 'take:orders>purchases', 'take:orders>stock', 'take:orders>trending']);
});

test('what a panel shows is the same until a frame changes that', () => {
  const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
  const change = (e) => apply(world, frame({ from: 100, rev: 101, edges: [{ ...world.edges.get(e), total: 9999, dead: 8 }] })).world;
  for (const [kind, id, mine, others] of [['node', 'orders', 'call:shoppers>orders', 'call:shoppers>users'], ['stream', 'stock', 'take:stock>orders', 'take:orders>stock'],
    ['edge', 'call:shoppers>orders', 'call:shoppers>orders', 'call:shoppers>users'], ['dead', 'stock', 'take:stock>orders', 'call:shoppers>users']]) {
    assert.ok(KINDS.includes(kind));
    assert.ok(same(parts(world, kind, id), parts(change(others), kind, id)), kind);
    assert.ok(!same(parts(world, kind, id), parts(change(mine), kind, id)), kind);
  }
});

test('dead letters are summed by service and by stream', () => {
  const d = deadOf(world);
  assert.deepEqual([...d.services], [['orders', [3, 'stock']], ['trending', [1, 'orders']]]);
  assert.deepEqual([...d.streams], [['stock', 3], ['orders', 1]]);
});
