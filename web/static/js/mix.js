// @ts-check
// The "Mix" window: which patterns and features the traffic uses, and how much.

import { el, text } from './dom.js';
import { post } from './api.js';
import { dropped } from './mixbutton.js';
import { Popover } from './popover.js';

/** A change is sent when nothing was moved for so long, ms; and what was sent stands for so long until the frames say it too. */
const PAUSE = 300, SETTLE = 1500;

/** @typedef {'patterns'|'features'} Part */
/** @typedef {{input: HTMLInputElement, output: HTMLOutputElement}} Slider */

/** @type {Record<Part, {title: string, max: number, step: number, say: (n: number) => string}>} */
const PARTS = {
  patterns: { title: 'Patterns, by weight', max: 5, step: 0.5, say: (n) => (n === 0 ? 'none' : `× ${n}`) },
  features: { title: 'Features, by share of shoppers', max: 1, step: 0.05, say: (n) => `${Math.round(n * 100)} %` },
};

export class Mix {
  /** @param {import('./verbs.js').Say} say */
  constructor(say) {
    this.say = say;
    this.dropped = el('p', 'dropped');
    this.groups = { patterns: el('fieldset'), features: el('fieldset') };
    this.popover = new Popover('mix', el('h2', 'popover-title', 'What the traffic uses'), this.groups.patterns, this.groups.features, this.dropped);
    /** @type {Record<Part, Map<string, Slider>>} */
    this.sliders = { patterns: new Map(), features: new Map() };
    /** @type {Record<Part, number>} timers of what was moved and not sent yet */
    this.waiting = { patterns: 0, features: 0 };
    this.shape = '';
  }

  /** @param {HTMLElement} opener */
  open(opener) {
    this.popover.show(opener, 'What the traffic uses');
  }

  /** @param {import('./world.js').World} w */
  render(w) {
    const { load, system } = w, words = dropped(load);
    text(this.dropped, words);
    this.dropped.hidden = !words;
    const shape = JSON.stringify([system.patterns.map((p) => p.name), system.features.map((f) => f.name), Object.keys(load.patterns), Object.keys(load.features)]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.build('patterns', system.patterns, load.patterns);
      this.build('features', system.features, load.features);
    }
    for (const part of /** @type {Part[]} */ (['patterns', 'features'])) {
      if (this.waiting[part]) continue;
      for (const [id, s] of this.sliders[part]) {
        if (document.activeElement === s.input && s.input.matches(':active')) continue;
        s.input.value = String(load[part][id] ?? 0);
        this.show(part, s);
      }
    }
  }

  /** @param {Part} part @param {{id: string, name: string}[]} all @param {Record<string, number>} now */
  build(part, all, now) {
    const sliders = this.sliders[part];
    sliders.clear();
    const rows = all.filter((x) => x.id in now).map((x) => {
      const input = el('input'), output = el('output');
      input.type = 'range';
      input.min = '0';
      input.max = String(PARTS[part].max);
      input.step = String(PARTS[part].step);
      input.dataset.mix = x.id;
      const s = { input, output };
      sliders.set(x.id, s);
      input.addEventListener('input', () => {
        this.show(part, s);
        clearTimeout(this.waiting[part]);
        this.waiting[part] = setTimeout(() => this.send(part), PAUSE);
      });
      return el('label', 'mix-row', el('span', '', x.name), input, output);
    });
    this.groups[part].hidden = rows.length === 0;
    this.groups[part].replaceChildren(el('legend', '', PARTS[part].title), ...rows);
  }

  /** @param {Part} part @param {Slider} s */
  show(part, s) {
    const words = PARTS[part].say(Number(s.input.value));
    text(s.output, words);
    s.input.setAttribute('aria-valuetext', words);
  }

  /** @param {Part} part */
  async send(part) {
    const timer = this.waiting[part];
    const values = Object.fromEntries([...this.sliders[part]].map(([id, s]) => [id, Number(s.input.value)]));
    try {
      await post('/api/v1/load', { [part]: values });
      this.say('the mix is set');
      if (this.waiting[part] === timer) this.waiting[part] = setTimeout(() => { this.waiting[part] = 0; }, SETTLE); // else it was moved again
    } catch (e) {
      this.say(`mix: ${e instanceof Error ? e.message : e}`, true);
      if (this.waiting[part] === timer) this.waiting[part] = 0;
    }
  }
}
