import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

globalThis.location ??= { hash: '' }; // what modules touch when they are imported
globalThis.addEventListener ??= () => {};
const { answerWords, followWords, isLocal, keptClass, opened, spreadRows, told } = await import('../static/js/classparts.js');
const { passes, randomName, Refusal } = await import('../static/js/classcall.js');
const { matching, termed, termOf, unbracketed } = await import('../static/js/glossary.js');
const { Newest } = await import('../static/js/newest.js');
const { farWords, OWN, played, scoreWords, sumText, totalWords, whenWords } = await import('../static/js/sumparts.js');
const { FrameError } = await import('../static/js/parse.js');

const message = (o = {}) => JSON.stringify({ chapter: 'requests', step: 'kill', followers: 12, answered: 9, ended: false, spread: [{ cell: 'buy in sync', works: 7, fails: 2 }], ...o });

test('what a class tells is read, and what is none is rejected', () => {
  assert.deepEqual(told(message()), JSON.parse(message()));
  assert.equal(told(message({ spread: null })).spread, null);
  assert.deepEqual(told(message({ spread: [] })).spread, []);
  assert.equal(told('{"ended":true}').ended, true);
  assert.equal(told(message({ chapter: '', step: '' })).chapter, '');
  for (const bad of ['', '[]', 'null', '"x"', message({ followers: -1 }), message({ followers: 1.5 }), message({ answered: '9' }), message({ chapter: 3 }), message({ spread: {} }),
    message({ spread: [{ works: 1 }] }), message({ spread: [{ cell: 'a', works: -1 }] }), message({ spread: [3] })]) assert.throws(() => told(bad), FrameError, bad);
});

test('a class that was opened', () => {
  assert.deepEqual(opened('{"id":"abcdefgh","key":"k","follow":"/follow/abcdefgh"}'), { id: 'abcdefgh', key: 'k', follow: '/follow/abcdefgh' });
  for (const bad of ['{}', '{"id":"a","key":"k"}', '{"id":"a","key":"","follow":"/follow/a"}', '{"id":"a","key":"k","follow":"https://elsewhere/follow/a"}',
    '{"id":"a","key":"k","follow":"//elsewhere"}', '{"id":"a","key":"k","follow":"/follow/a?b"}']) assert.throws(() => opened(bad), FrameError, bad);
  assert.deepEqual(keptClass('{"id":"a","key":"k"}'), { id: 'a', key: 'k' });
  for (const none of [null, '', 'x', '[]', '{"id":"a"}', '{"id":3,"key":"k"}']) assert.equal(keptClass(none), undefined);
});

test('the spread of the answers', () => {
  assert.deepEqual(spreadRows([{ cell: 'a in b', works: 12, fails: 4 }, { cell: 'c in b', works: 0, fails: 0 }]), [
    { cell: 'a in b', works: 75, fails: 25, words: '12 works · 4 fails' }, { cell: 'c in b', works: 0, fails: 0, words: 'no answer yet' }]);
  assert.deepEqual([0, 1, 300].map(followWords), ['nobody follows yet', '1 follows', '300 follow']);
  assert.deepEqual([[0, 5], [3, 5], [3, 2]].map(([answered, followers]) => answerWords({ answered, followers })), ['no answers yet', '3 of 5 answered', '3 of 3 answered']);
});

test('which address is of this machine alone', () => {
  for (const h of ['localhost', 'x.localhost', '127.0.0.1', '127.1.2.3', '[::1]', '::1']) assert.ok(isLocal(h), h);
  for (const h of ['lab.example', '192.168.1.7', '10.127.0.0.1.example', 'localhost.example']) assert.ok(!isLocal(h), h);
});

test('which refusals pass', () => {
  for (const e of [new Error('the dashboard does not answer'), new Refusal(503, ''), new Refusal(404, ''), new Refusal(429, '')]) assert.ok(passes(e));
  for (const s of [400, 403, 409]) assert.ok(!passes(new Refusal(s, '')));
  assert.match(randomName(), /^[0-9a-f]{20}$/);
  assert.notEqual(randomName(), randomName());
});

const terms = [{ term: 'copy', also: ['copies', 'own copies'], say: 'What a service keeps of [events].' }, { term: 'event', also: ['events'], say: 'A message.' }, { term: 'event bus', also: ['bus'], say: 'The one place for a copy.' }];

test('terms are found in all their forms, those named so first', () => {
  assert.equal(termOf(terms, ' Own Copies')?.term, 'copy');
  assert.equal(termOf(terms, 'cop'), undefined);
  assert.deepEqual(matching(terms, '').map((t) => t.term), ['copy', 'event', 'event bus']);
  assert.deepEqual(matching(terms, 'bus').map((t) => t.term), ['event bus']);
  assert.deepEqual(matching(terms, 'event').map((t) => t.term), ['event', 'event bus', 'copy']);
  assert.deepEqual(matching(terms, 'message event').map((t) => t.term), ['event']);
  assert.deepEqual(matching(terms, 'nothing such'), []);
  assert.equal(unbracketed('a [b] c [d e] f] [g'), 'a b c d e f] [g');
});

test('terms within a text are buttons', () => {
  const made = (tag) => ({ tag, text: '', on: undefined, getAttribute: () => null, setAttribute() {}, append(...s) { this.text += s.join(''); }, addEventListener(_, f) { this.on = f; } });
  globalThis.document = { createElement: made, createTextNode: (s) => s };
  try {
    const asked = [], told = (s) => termed(s, (t) => asked.push(t)).map((n) => (typeof n === 'string' ? n : `<${n.text}>`));
    assert.deepEqual(told('No [own copies] of <b>[events]</b>.'), ['No ', '<own copies>', ' of <b>', '<events>', '</b>.']);
    assert.deepEqual(told('[bus]'), ['<bus>']);
    assert.deepEqual(told(''), []);
    assert.deepEqual(told('[a [b] c] [] ['), ['[a ', '<b>', ' c] [] [']);
    termed('[bus]', (t) => asked.push(t))[0].on();
    assert.deepEqual(asked, ['bus']);
  } finally {
    delete globalThis.document;
  }
});

const at = (h, m, d = 30) => new Date(2026, 10, d, h, m).getTime();
const chapters = [{ id: 'one', title: 'One, or all', claim: 'One crash takes all along.', minutes: 3, steps: 2, stepIds: ['a', 'b'] }, { id: 'two', title: 'Copies', claim: 'Copies answer.', minutes: 4, steps: 3, stepIds: ['a', 'b', 'c'] },
  { id: 'three', title: 'Cost', claim: 'It costs.', minutes: 2, steps: 1, stepIds: ['a'] }];
const cell = (name, answers) => ({ cell: name, state: answers ? 'works' : 'fails', answers, reason: '', because: [], why: '' });
const kept = {
  one: { finished: true, steps: { b: { done: { sum: 'Four of 6 <i>answered</i>.', after: '', cells: [], at: at(14, 6) } },
    a: { guess: { 'x in y': true, 'z in y': true }, done: { sum: '', after: '', cells: [cell('x in y', true), cell('z in y', false)], at: at(14, 2) } } } },
  two: { steps: { a: { guess: { q: true }, done: { sum: 'The copy was 1.2 s behind.', after: '', cells: [cell('q', true)], at: at(15, 0) } }, b: { guess: { r: true } }, gone: { done: { sum: 'of a step that is no more', after: '', cells: [], at: 1 } } } },
};

test('what a run came to', () => {
  const all = played(chapters, kept);
  assert.deepEqual(all.map((p) => [p.done, p.steps, p.sums, p.right, p.asked]), [[2, 2, ['Four of 6 <i>answered</i>.'], 1, 2], [1, 3, ['The copy was 1.2 s behind.'], 1, 1], [0, 1, [], 0, 0]]);
  assert.deepEqual(all.map(scoreWords), ['1 of 2 predictions right', '1 of 1 predictions right', '']);
  assert.deepEqual(all.map(farWords), ['', '1 of 3 steps so far', 'not played yet']);
  assert.deepEqual(all.map(whenWords), ['30 November 2026, 14:02 to 14:06', '30 November 2026, 15:00', '']);
  assert.equal(whenWords({ from: at(23, 59, 29), till: at(0, 1) }), '29 November 2026, 23:59, to 30 November 2026, 00:01');
  assert.equal(totalWords(all), '1 of 3 chapters played and 2 of 3 predictions right');
  assert.equal(totalWords(played(chapters, {})), '0 of 3 chapters played');
});

test('and as text', () => {
  assert.equal(sumText(played(chapters, kept), 'shop'), `Stillup: shop. What this run measured

1 of 3 chapters played and 2 of 3 predictions right.

${OWN}

One, or all
Claim: One crash takes all along.
- Four of 6 <i>answered</i>.
(30 November 2026, 14:02 to 14:06; 1 of 2 predictions right)

Copies
Claim: Copies answer.
- The copy was 1.2 s behind.
(30 November 2026, 15:00; 1 of 1 predictions right; 1 of 3 steps so far)

Not played yet: Cost.`);
});

test('only the newest is sent, again and again until it is taken or refused', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const sent = [], waits = [], refused = [];
    let answer;
    const n = new Newest((v) => {
      sent.push(v);
      return new Promise((ok, no) => { answer = { ok, no }; });
    }, { passes, waits: (v) => waits.push(v), refused: (v) => refused.push(v) });
    const settle = async () => { for (let i = 0; i < 8; i++) await Promise.resolve(); };
    n.put(1);
    n.put(2);
    n.put(3);
    assert.deepEqual(sent, [1], 'one at a time');
    answer.no(new Refusal(503, 'busy'));
    await settle();
    assert.deepEqual([sent, waits], [[1, 3], []], 'what is newer goes at once, and what is older is not said to wait');
    for (let i = 0; i < 9; i++) {
      answer.no(new Error('away'));
      await settle();
      assert.equal(waits.length, i + 1);
      mock.timers.tick(10_000); // the most that it waits, and then some
      assert.equal(sent.length, i + 3);
    }
    answer.ok();
    await settle();
    mock.timers.tick(60_000);
    assert.equal(sent.length, 11, 'it is taken');
    n.put(4);
    answer.no(new Refusal(409, 'too late'));
    await settle();
    mock.timers.tick(60_000);
    assert.deepEqual([refused, sent.length], [[4], 12]);
    n.put(5);
    n.close();
    answer.no(new Error('away'));
    await settle();
    mock.timers.tick(60_000);
    assert.deepEqual([sent.length, waits.includes(5)], [13, false], 'nothing after its end');
  } finally {
    mock.timers.reset();
  }
});
