import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { frame } from '../static/js/messages.js';
import { FrameError } from '../static/js/parse.js';
import { read, score } from '../static/js/tourkept.js';
import { nextOf } from '../static/js/tourlist.js';
import { chapter, did, parted, tours, verdict } from '../static/js/tourparts.js';
import { lit, names } from '../static/js/tourshow.js';
import { bare, explained, mark, orders, rows, scored } from '../static/js/tourwords.js';
import { apply, empty } from '../static/js/world.js';
import { state } from './outage.mjs';

const tour = JSON.parse(readFileSync(new URL('../testdata/tour.json', import.meta.url)));
const { world } = apply(empty(), frame(state('calm')));
const found = (cell, state, more = {}) => ({ cell, state, answers: state !== 'fails' && state !== 'untried', reason: '', because: [], why: '', ...more });

test('chapters, steps and verdicts are read', () => {
  const t = tours(JSON.stringify(tour.list));
  assert.deepEqual(t.chapters.map((c) => [c.id, c.minutes, c.stepIds.length]), [['one-dies', 3, 4], ['copies-serve', 4, 3]]);
  assert.ok(t.can && t.glossary.some((g) => g.also.includes('copies')));
  const c = chapter(JSON.stringify(tour.chapters['one-dies']));
  assert.equal(c.steps[0].predict, null);
  assert.deepEqual(c.steps[1].predict.cells.length, 5);
  assert.deepEqual(c.steps[1].do, ['kill catalog']);
  const v = verdict(JSON.stringify({ chapter: 'one-dies', step: 'kill', phase: 'done', done_at: '2026-11-24T10:00:00Z', ...tour.verdicts['one-dies/kill'].done }));
  assert.equal(v.took, 1200);
  assert.equal(v.cells[4].state, 'slow');
  assert.ok(v.cells[4].answers && !Number.isNaN(v.at));
  const sparse = verdict('{"chapter":"a","step":"b","phase":"odd","conditions":null,"help":null,"cells":null}');
  assert.deepEqual([sparse.phase, sparse.conditions, sparse.help, sparse.cells], ['waiting', [], [], []]);
  assert.deepEqual(did('{"did":["killed stock"]}'), ['killed stock']);
  assert.deepEqual(did(''), []);
  assert.deepEqual(tours('{"chapters":[],"can":false,"why":"a demo"}'), { chapters: [], glossary: [], can: false, why: 'a demo' });
});

test('what is not so is rejected, with the place', () => {
  for (const [parse, text, where] of [
    [tours, '{"chapters":[{"id":"a"}]}', /chapters\[0\].title is missing/], [chapter, '{"id":"a","title":"b"}', /steps\[0\] is not an object/],
    [chapter, '{"id":"a","title":"b","steps":[{"id":"s","title":"t","show":[]}]}', /show is not an object/],
    [chapter, '{"id":"a","title":"b","steps":[{"id":"s","title":"t","do":"kill"}]}', /do is not a list of strings/],
    [verdict, '{"chapter":"a"}', /verdict.step is missing/], [verdict, '{"chapter":"a","step":"b","cells":[{}]}', /cells\[0\].cell is missing/], [did, '{"did":[1]}', /did is not/],
  ]) assert.throws(() => parse(text), (e) => e instanceof FrameError && where.test(e.message), text);
});

test('a cell is parted at its last " in "', () => {
  assert.deepEqual(parted('buy in sync'), { feature: 'buy', pattern: 'sync' });
  assert.deepEqual(parted('check in in bus'), { feature: 'check in', pattern: 'bus' });
  assert.deepEqual(parted('buy'), { feature: 'buy', pattern: '' });
});

test('what is kept is read as far as it is understood', () => {
  const kept = { chapter: 'a', step: 'b', chapters: { a: { did: ['started stock'], steps: { b: { guess: { 'buy in sync': false }, done: { after: 'x', sum: 'y', cells: [found('buy in sync', 'fails')], at: 5 } } } } } };
  assert.deepEqual(read(JSON.stringify(kept)), { ...kept, chapters: { a: { ...kept.chapters.a, finished: false } } });
  for (const odd of [null, '', '[]', '{', '{"chapter":3}', '{"chapters":[]}']) assert.deepEqual(read(odd).chapters, {}, odd);
  assert.deepEqual(Object.keys(read('{"chapters":{"a":{"steps":{}},"b":7}}').chapters), ['a']);
});

test('the score counts what was answered and measured, of steps that were told', () => {
  const cells = [found('a in x', 'works'), found('b in x', 'fails'), found('c in x', 'stale'), found('d in x', 'untried'), found('e in x', 'works')];
  const guess = { 'a in x': true, 'b in x': true, 'c in x': true, 'd in x': true };
  assert.deepEqual(score({ steps: { s: { guess, done: { after: '', sum: '', cells, at: 0 } }, t: { guess } } }), { right: 2, asked: 3 });
  assert.deepEqual(score({ steps: { s: { guess: {}, done: { after: '', sum: '', cells, at: 0 } } } }), { right: 0, asked: 0 });
  assert.deepEqual(score(undefined), { right: 0, asked: 0 });
  assert.equal(scored({ right: 5, asked: 6 }), '5 of 6 predicted');
  assert.equal(scored({ right: 0, asked: 0 }), '');
});

test('an answer is marked by whether it answers, not by how', () => {
  for (const [guess, state, want] of [[true, 'works', 'right'], [true, 'slow', 'right'], [true, 'stale', 'right'], [true, 'fails', 'wrong'], [false, 'fails', 'right'], [false, 'slow', 'wrong'],
    [true, 'untried', 'none'], [undefined, 'works', 'none']]) assert.equal(mark(guess, found('a in x', state)), want, `${guess} ${state}`);
});

test('why a cell is as it is: the author, else what is seen', () => {
  assert.equal(explained(found('a in x', 'fails', { why: 'So.', because: ['stock'] })), 'So.');
  assert.equal(explained(found('a in x', 'fails', { because: ['stock', 'users'], reason: 'stock refused the connection' })), 'It needs stock and users. Its last request: stock refused the connection.');
  assert.equal(explained(found('a in x', 'fails')), 'Why is not known.');
  assert.equal(explained(found('a in x', 'works')), 'Nothing that it needs was touched.');
  assert.equal(explained(found('a in x', 'slow', { because: ['catalog'] })), 'It answers, but later: it needs catalog.');
});

test('deeds in words', () => {
  for (const [deeds, want] of [
    [['kill stock'], 'Kill stock'], [['kill a', 'kill b', 'cut c'], 'Kill a, kill b and cut c off'], [['set load to 20'], 'Set the traffic to 20 a second'], [['set load to 0'], 'Stop the traffic'],
    [['restore all'], 'Restore everything'], [['measure engines'], 'Measure the engines'], [['slow catalog by 300 ms'], 'Slow catalog by 300 ms'],
    [['do rename-product of p-02 with name = Kettle of {now}'], 'Rename p-02: Kettle of now'], [['do catalog-schema-2'], 'Catalog schema 2'], [['do x of y with a = b, c = d'], 'X y: b, d'],
  ]) assert.equal(orders(deeds, new Map([['rename-product', 'Rename']])), want);
});

test('cells are called by what tells them apart', () => {
  const system = { features: [{ id: 'buy', name: 'buy' }, { id: 'browse', name: 'browse all' }], patterns: [{ id: 'sync', name: 'Requests' }, { id: 'bus', name: 'The bus' }] };
  assert.deepEqual(rows(['buy in sync', 'browse in sync'], system), { common: 'Requests', rows: [{ cell: 'buy in sync', name: 'buy', of: '' }, { cell: 'browse in sync', name: 'browse all', of: '' }] });
  assert.deepEqual(rows(['buy in sync', 'buy in bus'], system).rows.map((r) => r.name), ['Requests', 'The bus']);
  assert.deepEqual(rows(['buy in sync', 'browse in bus'], system), { common: '', rows: [{ cell: 'buy in sync', name: 'buy', of: 'Requests' }, { cell: 'browse in bus', name: 'browse all', of: 'The bus' }] });
  assert.equal(rows(['gone in sync'], system).rows[0].name, 'gone');
});

test('a text loses the signs of its terms alone', () => assert.equal(bare('[Events] wait on the [bus]; a [ stays'), 'Events wait on the bus; a [ stays'));

const show = (more) => ({ nodes: [], streams: [], pattern: '', cells: [], data: '', cost: '', ...more });

test('what is lit: nodes with their stores, and the ways between what is lit', () => {
  assert.equal(lit(world, show({ pattern: 'sync' })), undefined);
  const some = lit(world, show({ nodes: ['orders', 'catalog', 'bus'], streams: ['catalog'], pattern: '' }));
  assert.ok(some.lanes.has('catalog') && !some.lanes.has('orders'));
  assert.ok(some.edges.has('emit:catalog>catalog') && ![...some.edges].some((e) => e.includes('users') || e.startsWith('emit:orders')));
  const sync = lit(world, show({ nodes: ['orders', 'catalog', 'stock', 'shoppers'], pattern: 'sync' }));
  assert.ok(sync.edges.has('call:orders>catalog') && sync.lanes.size === 0);
  assert.ok([...sync.edges].every((e) => e.startsWith('call:')));
  assert.ok(lit(world, show({ streams: ['users'] })).nodes.has('trending'));
  assert.ok(!lit(world, show({ streams: ['users'], pattern: 'monolith' })).nodes.has('trending'));
});

test('cells of the matrix by name, or every one', () => {
  assert.ok(names(['buy in sync'], 'buy', 'sync') && !names(['buy in sync'], 'buy', 'bus'));
  assert.ok(names(['every in sync'], 'buy', 'sync') && names(['every feature in every pattern'], 'a', 'b') && names(['buy in every'], 'buy', 'bus'));
  assert.ok(!names([], 'buy', 'sync'));
});

test('the chapter to go to next', () => {
  const t = tours(JSON.stringify(tour.list)), s = (more) => ({ chapter: '', step: '', chapters: {}, ...more });
  assert.equal(nextOf(t, s({})), 'one-dies');
  assert.equal(nextOf(t, s({ chapter: 'copies-serve' })), 'copies-serve');
  assert.equal(nextOf(t, s({ chapters: { 'one-dies': { steps: {}, finished: true } } })), 'copies-serve');
  assert.equal(nextOf(t, s({ chapters: { 'one-dies': { steps: {}, finished: true }, 'copies-serve': { steps: {}, finished: true } } })), '');
});
