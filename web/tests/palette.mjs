import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { apart, contrast, deltaE, EYES, over, themes } from './colour.mjs';

const { dark, light } = themes(readFileSync(new URL('../static/css/tokens.css', import.meta.url), 'utf8'));
const KINDS = [...'01234567', 'plain'].map((k) => `kind-${k}`), STATES = ['good', 'warn', 'bad'];

// CIEDE2000: from about 2.3 on, two patches side by side are seen to differ. Dots and thin lines lie apart from each other on
// a dark ground and need about three times that; what is told by one colour alone needs more, what has a word or sign, less.
const KIND = 7.5; // dots and lanes; the lane's name is the second signal
const STATE = 10; // lines, words and borders; sign (✓ ◷ ✕) and word are the second signal
const GROUND = 5.5; // the cells' large grounds, on which sign and word stand

const pairs = (names) => names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b]));

test('the measures are the published ones', () => {
  assert.equal(deltaE([50, 2.6772, -79.7751], [50, 0, -82.7485]).toFixed(4), '2.0425'); // Sharma, Wu and Dalal 2005, pairs 1, 17, 25
  assert.equal(deltaE([50, 2.5, 0], [73, 25, -18]).toFixed(4), '27.1492');
  assert.equal(deltaE([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387]).toFixed(4), '1.2644');
  assert.equal(contrast('#000000', '#ffffff'), 21);
  assert.ok(apart('#ff0000', '#a09000', 'normal') > 3 * apart('#ff0000', '#a09000', 'deuteranopia'), 'red and olive come together');
  assert.equal(over('#ffffff', '#000000', 0.2), '#333333');
});

test('the light theme chosen by the system and by the switch is one', () => {
  assert.equal(light.length, 2);
  assert.deepEqual(light[0], light[1]);
  assert.deepEqual(Object.keys(light[0]).sort(), Object.keys(dark).filter((k) => k in light[0]).sort());
});

for (const [name, t] of [['dark', dark], ['light', light[0]]]) {
  const river = over(t.river, t.ground, 0.75), plain = ['ground', 'raised', 'sunk'].map((g) => [g, t[g]]);

  test(`${name}: colours stay apart to all eyes`, () => {
    for (const eyes of EYES) {
      const far = (a, b, bound) => assert.ok(apart(t[a], t[b], eyes) >= bound, `${eyes}: ${a} ${t[a]} and ${b} ${t[b]} are ${apart(t[a], t[b], eyes).toFixed(1)} apart, want ${bound}`);
      for (const [a, b] of pairs(KINDS)) far(a, b, KIND);
      for (const [a, b] of pairs(STATES)) {
        far(a, b, STATE);
        far(`${a}-ink`, `${b}-ink`, STATE);
        far(`${a}-ground`, `${b}-ground`, GROUND);
      }
    }
    for (const k of KINDS) assert.ok(apart(t[k], t.bad, 'normal') >= STATE, `${k} looks like a failure`);
  });

  test(`${name}: contrast is that of WCAG 2.2 AA`, () => {
    const holds = (ink, c, ground, g, least) => assert.ok(contrast(c, g) >= least, `${ink} ${c} on ${ground} ${g}: ${contrast(c, g).toFixed(2)}, want ${least}`);
    for (const [ground, g] of plain) {
      for (const ink of ['ink', 'soft', 'dim', ...STATES, ...STATES.map((s) => `${s}-ink`)]) holds(ink, t[ink], ground, g, 4.5);
      for (const ink of ['edge', 'call', 'dot', 'accent', ...KINDS]) holds(ink, t[ink], ground, g, 3);
    }
    for (const ink of ['ink', 'soft', ...KINDS]) holds(ink, t[ink], 'the river', river, 4.5); // lanes' names and rates
    for (const s of STATES) {
      for (const ink of [s, `${s}-ink`]) holds(ink, t[ink], `${s}-ground`, t[`${s}-ground`], 4.5);
    }
    holds('on-accent', t['on-accent'], 'accent', t.accent, 4.5);
  });
}
