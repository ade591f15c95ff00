import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spoken, told } from '../static/js/spoken.js';

const node = (o = {}) => ({ id: 'orders', kind: 'service', label: 'buy', state: 'up', since: 0, reason: '', faults: [], rate: 0, errors: 0, replicas: [], ...o });

test('a node is told with its kind, state and faults, without signs', () => {
  assert.equal(spoken(node({ rate: 11.2, faults: [{ kind: 'slow', latency_ms: 300, share: 0 }] }), 0),
    'orders, service for buy: up, 11 requests a second, slow by 300 ms');
  assert.equal(spoken(node(), 0), 'orders, service for buy: up, idle');
  assert.equal(spoken(node({ rate: 9, errors: 0.84 }), 0), 'orders, service for buy: up, 9 requests a second, 0.8 a second fail');
  assert.equal(spoken(node({ state: 'down', reason: 'killed (signal 9)' }), 61000), 'orders, service for buy: dead for 61 seconds, killed (signal 9)');
  assert.equal(spoken(node({ state: 'down', reason: 'stopped', label: '' }), 7200e3), 'orders, service: stopped for 2 hours');
  assert.equal(spoken(node({ state: 'paused', since: NaN }), 0), 'orders, service for buy: paused');
  assert.equal(spoken(node({ rate: 2, replicas: [{ state: 'up' }, { state: 'down', reason: '' }] }), 0), 'orders, service for buy: up, 1 of 2 up, 2 requests a second');
  assert.equal(spoken(node({ kind: 'client', state: 'unknown' }), 0), 'orders, client for buy: unknown');
});

test('what the lines show is told of the node that they leave or that waits', () => {
  const edge = (kind, from, to, o = {}) => [`${kind} ${from} ${to}`, { kind, from, to, failed_rate: 0, reason: '', waiting: 0, trimmed_unread: false, ...o }];
  const t = told({ edges: new Map([
    edge('call', 'orders', 'catalog', { failed_rate: 2.44, reason: 'connection refused' }), edge('call', 'orders', 'users'), edge('reach', 'orders', 'users-db'),
    edge('emit', 'orders', 'placed'), edge('take', 'users', 'orders', { waiting: 183 }), edge('take', 'stock', 'orders', { waiting: 1 }),
    edge('take', 'placed', 'trending', { waiting: -1, trimmed_unread: true }),
  ]) });
  assert.deepEqual(t.get('orders'), {
    ails: 'Its requests to catalog fail, 2.4 a second: refused; 184 events wait at its door.',
    does: 'It sends requests to catalog and users; reaches into users-db; puts events on placed; takes events from users and stock.',
  });
  assert.deepEqual(t.get('trending'), { ails: 'Some events were lost to it unread.', does: 'It takes events from placed.' });
  assert.equal(t.get('catalog'), undefined);
});
