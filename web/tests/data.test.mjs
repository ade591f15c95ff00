import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

globalThis.location ??= { hash: '' }; // what modules touch when they are imported
globalThis.addEventListener ??= () => {};
const { euros, monthly, policy, price, progressWords, proof, size, standing, times, wrong } = await import('../static/js/datawords.js');
const { changed, fieldRows } = await import('../static/js/sidebyside.js');
const { acted, actions, disturbed, hits, lost, thing, totals, trimmed } = await import('../static/js/dataparts.js');
const { firstKind } = await import('../static/js/copies.js');
const { fares, inForce, shapeOf } = await import('../static/js/schema.js');
const { values } = await import('../static/js/changing.js');
const { fullness } = await import('../static/js/rebuild.js');
const { lostWords, unread } = await import('../static/js/trouble.js');
const { steps } = await import('../static/js/data.js');
const { frame } = await import('../static/js/messages.js');
const { apply, empty, wayTo } = await import('../static/js/world.js');
const { FrameError } = await import('../static/js/parse.js');

const plain = (s) => s.replaceAll('\u202f', ' ');
const fixture = JSON.parse(readFileSync(new URL('../testdata/dataparts.json', import.meta.url), 'utf8'));
const of = (path) => JSON.stringify(fixture[path]);

test('a price is readable however small', () => {
  for (const [n, want] of [[0, '0 cents'], [3075.2, '€3 075'], [12.3, '€12.30'], [1, '€1.00'], [0.5, '50 cents'], [0.01, '1 cent'], [0.0154, '1.5 cents'], [4e-6, '0.0004 cents'],
    [9.12e-7, '0.000091 cents'], [1e-10, '0.00000001 cents'], [NaN, '–']]) assert.equal(plain(price(n)), want, String(n));
  assert.equal(plain(price(monthly(24_000, 0.1))), '0.00024 cents');
  assert.equal(price(monthly(1e9, 0.1)), '10 cents');
});

test('sizes', () => {
  for (const [n, want] of [[0, '0 bytes'], [1, '1 byte'], [999, '999 bytes'], [1000, '1 KB'], [16384, '16.4 KB'], [999_600, '1 MB'], [11_250_000, '11.3 MB'], [2.5e9, '2.5 GB'], [3e15, '3 000 TB'], [-1, 'not known']]) {
    assert.equal(plain(size(n)), want, String(n));
  }
  assert.equal(size(2000, true), '≈ 2 KB');
  assert.deepEqual([times(2.609), times(1), times(38.5), times(0)], ['× 2.6', '× 1', '× 38.5', 'not known']);
  assert.deepEqual([policy({ keep_entries: 50000, keep_bytes: 16e6 }), policy({ keep_entries: 0, keep_bytes: 0 })].map(plain), ['at most 50 000 entries or 16 MB', 'no bound is declared']);
});

const copy = (o = {}) => ({ node: 'n-db', service: 'n', engine: 'redis', copy: true, form: 'hash', place: '', found: true, why: '', version: 2, bytes: 1, raw: '', fields: [], keys: [],
  versions_behind: 0, events_behind: 0, behind_ms: 0, ...o });

test('how a copy stands to its owner', () => {
  for (const [o, words, tone] of [
    [{}, '✓ as its owner', 'good'], [{ copy: false }, 'the owner', ''], [{ why: 'connection refused' }, '✕ cannot be asked: connection refused', 'bad'],
    [{ versions_behind: 2, events_behind: 3, behind_ms: 3400 }, '⚠ 2 versions behind, 3.4 s', 'warned'], [{ versions_behind: 1 }, '⚠ 1 version behind', 'warned'],
    [{ events_behind: 1, behind_ms: 120 }, '⚠ 1 event behind, 120 ms', 'warned'], [{ found: false, events_behind: 4 }, '⚠ not here yet: 4 events behind', 'warned'],
    [{ found: false }, 'not here', ''], [{ fields: [{ name: 'a', value: 'x', same: 'differs' }] }, '⚠ differs from its owner', 'warned'],
  ]) assert.deepEqual(standing(copy(o)), { words, tone });
  assert.deepEqual(standing(copy({ copy: false }), false), { words: 'keeps its own: no copy', tone: '' });
  assert.deepEqual(standing(copy({ copy: false, found: false }), false), { words: 'not here: it keeps its own', tone: '' });
  assert.deepEqual(standing(copy({ copy: false, found: false })), { words: 'not here', tone: 'bad' });
});

const p = (o) => ({ state: 'running', said: '', done: 0, total: 0, per_second: 0, left_ms: -1, before: '', after: '', began: 1000, ended: NaN, ...o });

test('how far a job is, in words', () => {
  for (const [o, want] of [
    [{ done: 12400, total: 30000, per_second: 8200, left_ms: 2146 }, '12 400 of 30 000 · 8.2k/s · 2.1 s left'], [{}, 'it begins'], [{ done: 7, per_second: 3.5 }, '7 so far · 3.5/s'],
    [{ done: 7, total: 9 }, '7 of 9 · time left not known'], [{ state: 'done', done: 1840, total: 1840, per_second: 4380, left_ms: 0, ended: 1420 }, '✓ done in 420 ms · 1 840 in all · 4.4k/s'],
    [{ state: 'failed', done: 3, total: 9, ended: 2000 }, '✕ failed in 1.0 s · 3 of 9'], [{ state: 'idle' }, ''],
  ]) assert.equal(plain(progressWords(p(o))), want);
  assert.equal(proof(p({ before: 'a' })), undefined);
  assert.equal(proof(p({ before: 'a', after: 'a' })).equal, true);
  assert.match(proof(p({ before: 'a', after: 'b' })).words, /not equal/);
});

test('what is written into a field is judged', () => {
  const cents = { name: 'price_cents', label: 'price in cents', type: 'number' };
  assert.deepEqual(['', 'x', '-3', '3.5', '3490'].map((v) => wrong(cents, v) === ''), [false, false, false, false, true]);
  assert.equal(wrong({ label: 'weight', type: 'number' }, '3.5'), '');
  assert.deepEqual([euros('price in cents', '3490'), euros('name', '3490'), euros('price in cents', 'x')], ['= €34.90', '', '']);
  const form = (v) => ({ elements: { namedItem: () => ({ value: v }) } });
  assert.deepEqual(values({ fields: [cents] }, form('2990')), { price_cents: 2990 });
  assert.equal(typeof values({ fields: [cents] }, form('')), 'string');
});

test('fields side by side: the owner’s first and in its order, what differs marked', () => {
  const t = thing(of('/api/v1/copies/products/p-01')), rows = fieldRows(t.records);
  assert.deepEqual(rows.map((r) => r.name), ['name', 'category', 'description', 'price_cents', 'low_at']);
  assert.deepEqual(rows.filter((r) => r.differs).map((r) => r.name), ['name', 'price_cents']);
  assert.deepEqual(rows[0].spots.map((s) => s?.same), ['same', 'same', 'same', 'differs', undefined, 'own']);
  assert.equal(rows[4].spots[2].same, 'own');
});

test('what changed between two looks', () => {
  const a = thing(of('/api/v1/copies/products/p-01')).records, b = structuredClone(a);
  assert.deepEqual(changed(a, b), []);
  b[3].fields[0].value = 'Walnut desk';
  b[1].behind_ms = 12; // that alone is no change of what it has
  assert.deepEqual(changed(a, b), ['purchases-db']);
  assert.deepEqual(changed([], b), [], 'what was not seen before did not change');
});

test('answers are read, and what is none is rejected', () => {
  assert.equal(totals(of('/api/v1/copies')).length, 4);
  assert.equal(hits(of('/api/v1/copies/products')).hits[0].label, 'Walnut desk');
  const all = actions(of('/api/v1/actions'));
  assert.equal(all.length, 14);
  assert.equal(all.find((a) => a.id === 'rebuild-purchases').progress.left_ms, 2146);
  assert.equal(lost(of('/api/v1/bus/lose'))[0].lost, 14);
  assert.equal(trimmed(of('/api/v1/streams/users/trim')), 1200);
  assert.equal(disturbed(of('/api/v1/streams/users/disturb')).entry, '1764000000000-0');
  assert.equal(acted('{"action":"x","status":202,"answer":null,"took_ms":3.2}').status, 202);
  for (const bad of ['', '[]', '{"kind":"x"}', '{"kind":"x","id":"y","records":[{}]}', '{"kind":"x","id":"y","records":{}}']) assert.throws(() => thing(bad), FrameError, bad);
});

test('which shape is in force', () => {
  const a = actions(of('/api/v1/actions')).filter((x) => x.group === 'schema');
  assert.equal(inForce(a.filter((x) => x.node === 'catalog')).id, 'catalog-schema-2');
  assert.equal(inForce(a.filter((x) => x.node === 'users')), undefined, 'one is under way');
  const [two, one] = a.filter((x) => x.node === 'catalog');
  one.progress = p({ state: 'done', ended: two.progress.ended + 1 });
  assert.equal(inForce([two, one]).id, 'catalog-schema-1');
  assert.deepEqual(shapeOf(copy({ raw: '{"_id":"p","title":"x"}' })), ['_id', 'title']);
  assert.deepEqual(shapeOf(copy({ raw: 'id:   p\ngiven_name: x' })), ['id', 'given_name']);
  assert.deepEqual(shapeOf(copy({ raw: 'p-1', fields: [{ name: 'name', value: 'x', same: 'same' }] })), ['name']);
});

const shop = () => apply(empty(), frame({ rev: 1, full: true, system: { name: 's', kinds: [{ id: 'users' }, { id: 'products' }] },
  streams: [{ name: 'catalog', kind: 'products', length: 40, bytes: 600, keep_entries: 100, keep_bytes: 1000, first_at: '2026-11-24T10:00:00Z' }, { name: 'requests' }],
  edges: [{ id: 'take:catalog>a', kind: 'take', from: 'catalog', to: 'a', trimmed_unread: true }, { id: 'take:catalog>b', kind: 'take', from: 'catalog', to: 'b' }],
  cells: [{ feature: 'f', pattern: 'shared', state: 'fails' }, { feature: 'g', pattern: 'shared', state: 'works' }, { feature: 'f', pattern: 'copies', state: 'slow' }],
  copies: [{ node: 'c-db', kind: 'products', known: true, count: 1 }, { node: 'a-db', kind: 'products', copy: true, known: true }] })).world;

test('the world knows what is held, and where a subject’s copies are', () => {
  let w = shop();
  assert.equal(w.copies.size, 2);
  w = apply(w, frame({ from: 1, rev: 2, copies: [{ node: 'c-db', kind: 'products', known: true, count: 7 }] })).world;
  assert.deepEqual([...w.copies.values()].map((h) => h.count), [7, 0]);
  assert.equal(wayTo(w, 'catalog', 'p/1'), 'copies/products/p%2F1');
  assert.deepEqual(steps('copies/products/p%2F1'), ['copies', 'products', 'p/1']);
  assert.deepEqual([wayTo(w, 'catalog', ''), wayTo(w, 'requests', 'x'), wayTo(w, 'none', 'x'), wayTo(empty(), 'catalog', 'x')], ['', '', '', '']);
  assert.deepEqual(steps('a/%'), ['a', '%']);
  assert.deepEqual([firstKind(w, []), firstKind(w, ['users']), firstKind(empty(), [])], ['products', 'users', '']);
  assert.equal(fullness(w.streams.get('catalog')), 0.6);
  assert.deepEqual(unread(w), [{ service: 'a', stream: 'catalog' }]);
  assert.deepEqual([fares(w, 'shared'), fares(w, 'copies'), fares(w, 'sync')].map((f) => f.words), ['✕ 1 of 2 fail', '✓ all works', 'not tried']);
});

test('what the bus lost, in words', () => {
  assert.match(lostWords(lost(of('/api/v1/bus/lose'))).words, /^✓ lost: users 14, stock 52, orders 61\./);
  assert.match(lostWords([{ name: 'a', lost: 0 }]).words, /^Nothing was lost/);
});

test('who is asked and does not answer is waited for no longer than said, and what is known is said', async () => {
  const { UNKNOWN, within } = await import('../static/js/actions.js');
  const hung = (/** @type {AbortSignal} */ s) => new Promise((_, failed) => s.addEventListener('abort', () => failed(new Error('aborted'))));
  await assert.rejects(within(hung, 20, UNKNOWN), /^Error: no answer for 0.02 s; whether it was done is not known$/);
  assert.equal(await within(async () => 7, 20), 7);
  await assert.rejects(within(async () => { throw new Error('refused'); }, 20), /refused/);
});
