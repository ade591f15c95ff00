import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const { compared, engines, runWords, verdict } = await import('../static/js/engineparts.js');
const { FrameError } = await import('../static/js/parse.js');

const text = readFileSync(new URL('../testdata/engines.json', import.meta.url), 'utf8');

test('results are compared within their workload', () => {
  const e = engines(text), all = compared(e, 'counter');
  assert.deepEqual(all.map((r) => [r.engine, r.best]), [['postgres', false], ['mongodb', false], ['redis', true]]);
  assert.deepEqual(all.map((r) => Math.round(100 * r.share)), [21, 16, 100]);
  assert.equal(Math.round(100 * all[1].wait), 100);
  assert.equal(verdict(e, 'counter', (x) => x), 'redis did 4.8 times as much as postgres, the next.');
  assert.equal(verdict(e, 'join', (x) => x), 'postgres and redis did about the same.');
  assert.equal(compared(e, 'join')[1].best, false);
  assert.equal(verdict({ ...e, results: [] }, 'join', (x) => x), '');
  assert.deepEqual(compared(e, 'nothing'), []);
});

test('a run says how far it is', () => {
  const e = engines(text);
  assert.equal(runWords(e), '');
  assert.equal(runWords({ ...e, state: 'running', done: 4, now: 'document on redis', left_ms: 11250 }), '4 of 9 measured, now document on redis, at least 12 s left');
});

test('what is no answer is refused', () => {
  for (const bad of ['[]', '{"results": 1}', '{"results": [{"engine": "redis"}]}', '{"workloads": [{"id": "a"}]}']) assert.throws(() => engines(bad), FrameError, bad);
});
