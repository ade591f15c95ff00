import assert from 'node:assert/strict';
import { test } from 'node:test';
import { age, culprit, fault, millis, parted, rate, short, state, tally, trouble } from '../static/js/words.js';

test('numbers and ages in words', () => {
  assert.deepEqual([0, 2.14, 48.2, 999.7, 1234, 9960, 25000].map(rate), ['0/s', '2.1/s', '48/s', '1.0k/s', '1.2k/s', '10k/s', '25k/s']);
  assert.deepEqual([0.04, 1.84, 412, 2400].map(millis), ['<0.1 ms', '1.8 ms', '412 ms', '2.4 s']);
  assert.deepEqual([NaN, 31000, 125000, 7.3e6].map(age), ['', '31 s', '2 min', '2 h']);
});

test('a failure names its culprit, and the longest id wins', () => {
  const ids = ['orders', 'orders-db', 'catalog'];
  assert.equal(culprit('catalog refused the connection', ids), 'catalog');
  assert.equal(culprit('orders-db timed out', ids), 'orders-db');
  assert.equal(culprit('preorders failed', ids), '');
  assert.equal(short('catalog refused the connection'), 'refused');
  assert.equal(short('deadline exceeded'), 'timed out');
});

test('faults and troubles in words', () => {
  const f = (kind, latency_ms, share) => ({ kind, latency_ms, share });
  assert.deepEqual([f('slow', 300, 0), f('cut', 0, 0), f('errors', 0, 0.2), f('odd', 0, 0)].map(fault), ['slow +300 ms', 'cut off', '20 % errors', 'odd']);
  const n = (state, faults = [], reason = '') => trouble({ id: 'orders', state, faults, reason, replicas: [] });
  assert.deepEqual([n('up'), n('down'), n('down', [], 'stopped'), n('paused')], ['', 'orders is dead', 'orders is stopped', 'orders is paused']);
  assert.equal(n('up', [f('slow', 300, 0), f('errors', 0, 0.2)]), 'orders is slow (+300 ms) and fails 20 % of its requests');
});

test('several replicas are counted where not all are up', () => {
  const r = (state, reason = '') => ({ state, reason });
  const of = (...replicas) => tally({ replicas });
  assert.deepEqual([of(), of(r('down')), of(r('up'), r('up')), of(r('up'), r('down'), r('up')), of(r('down'), r('down')), of(r('down', 'stopped'), r('down', 'stopped')), of(r('down'), r('paused'))],
    ['', '', '', '2 of 3 up', 'all dead', 'all stopped', '0 of 2 up']);
  const n = { id: 'orders', kind: 'service', state: 'up', since: NaN, rate: 3, faults: [], reason: '', replicas: [r('up'), r('paused')] };
  assert.deepEqual([state(n, 0), trouble(n)], [{ symbol: '◐', text: '1 of 2 up' }, 'orders has 1 of 2 up']);
  assert.equal(state({ ...n, replicas: [r('up'), r('up')] }, 0).text, '3.0/s');
});

test('a word too long for a line can be parted, others stay whole', () => {
  assert.equal(parted('recommendations'), 'recommen\u00ADdations');
  assert.equal(parted('purchases-and-trending'), 'purchases-and-trending');
});
