import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costLine } from '../static/js/cost.js';
import { below, outages, sentence } from '../static/js/matrix.js';
import { frame } from '../static/js/messages.js';
import { outboxWords, stuck } from '../static/js/outbox.js';
import { bar, ends, hopSentence, span } from '../static/js/waterfall.js';
import { apply, cellKey, empty } from '../static/js/world.js';
import { state } from './outage.mjs';

const known = (name) => apply(empty(), frame(state(name))).world;
const cellOf = (w, feature, pattern) => w.cells.get(cellKey(feature, pattern));

test('a cell names its culprit, and how many more there are', () => {
  const w = known('outage');
  assert.equal(below(cellOf(w, 'buy', 'sync'), w.nodes.keys()), 'catalog');
  assert.equal(below(cellOf(w, 'my-purchases', 'sync'), w.nodes.keys()), 'purchases +1');
  const blind = { ...cellOf(w, 'buy', 'sync'), because: [] };
  assert.equal(below(blind, w.nodes.keys()), 'catalog', 'where no cause is known, whom the error names');
  assert.equal(below({ ...blind, last_error: 'answered 500' }, w.nodes.keys()), 'error 500');
});

test('a slow cell says its median, a stale one its age', () => {
  const s = known('slow'), c = known('bus-cut');
  assert.equal(below(cellOf(s, 'buy', 'sync'), s.nodes.keys()), '309 ms');
  assert.equal(below(cellOf(c, 'buy', 'copies'), c.nodes.keys()), '3 s old');
});

test('the sentence of a cell has share, times, cause and last error', () => {
  const w = known('outage');
  assert.equal(sentence(cellOf(w, 'my-purchases', 'sync'), 'my purchases', 'Synchronous requests', w),
    'my purchases, Synchronous requests: fails because purchases is paused and catalog is dead; 10 % of 20 requests succeeded; '
    + 'half within 7.4 ms, 99 % within 27 ms; last error: purchases timed out after 2 s');
  const s = known('slow');
  assert.match(sentence(cellOf(s, 'browse', 'bus'), 'browse', 'Event bus only', s), /slow because catalog is slow \(\+300 ms\)/);
});

test('what does not do well is said, faults too', () => {
  assert.equal(outages(known('calm')), 'everything is up');
  assert.equal(outages(known('outage')), 'catalog is dead and purchases is paused');
  assert.equal(outages(known('bus-cut')), 'bus is cut off');
});

test('an outbox is worth a word when its oldest is a second old', () => {
  const w = known('bus-cut');
  assert.equal(outboxWords(w.nodes.get('orders').outbox), '31 wait in its outbox, oldest 3 s');
  assert.equal(outboxWords(w.nodes.get('catalog').outbox), '1 waits in its outbox, oldest 1 s');
  assert.equal(outboxWords({ waiting: 200, more: true, oldest_ms: 9000 }), 'over 200 wait in its outbox, oldest 9 s');
  assert.deepEqual(['orders', 'purchases'].map((id) => stuck(w.nodes.get(id))), [true, false]);
  assert.equal(stuck({ outbox: { waiting: 40, oldest_ms: 900 } }), false);
  assert.equal(stuck({ outbox: { waiting: -1, oldest_ms: 9000 } }), false);
});

test('bars stand to scale, are never too thin to see, and stay within', () => {
  assert.deepEqual(bar(50, 25, 100), { left: 50, width: 25 });
  assert.deepEqual(bar(100, 0, 100), { left: 99.2, width: 0.8 });
  assert.deepEqual(bar(0, 500, 100), { left: 0, width: 100 });
  const hop = { from: '', to: 'orders', via: '', method: 'POST', path: '/sync/orders', status: 502, failed: true, reason: 'catalog refused', start_ms: 1, took_ms: 4, depth: 1 };
  assert.equal(span({ took_ms: 3, hops: [hop], messages: [{ at_ms: 12 }] }), 12, 'until the last event that it caused');
  assert.equal(ends(hop), 'dashboard → orders');
  assert.equal(hopSentence(hop), 'dashboard → orders by request, POST /sync/orders: failed, catalog refused, after 1.0 ms, took 4.0 ms');
  assert.equal(costLine({ services: 1, hops: 4, messages: 8, depth: 2 }), '1 service · 4 hops · 8 messages on the bus · depth 2');
});
