import assert from 'node:assert/strict';
import { test } from 'node:test';
import { age, culprit, millis, rate, short } from '../static/js/words.js';

test('numbers and ages in words', () => {
  assert.deepEqual([0, 2.14, 48.2, 25000].map(rate), ['0/s', '2.1/s', '48/s', '25k/s']);
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
