// @ts-check
// The header's controls: traffic, Restore all, theme.

import { attr, byId, text } from './dom.js';
import { post } from './api.js';
import { tally } from './words.js';

/** @typedef {import('./verbs.js').Say} Say */

export class Controls {
  /** @param {Say} say @param {() => void} themed told after the theme changed */
  constructor(say, themed) {
    this.say = say;
    this.form = /** @type {HTMLFormElement} */ (byId('traffic'));
    this.rate = /** @type {HTMLInputElement} */ (byId('rate'));
    this.set = /** @type {HTMLButtonElement} */ (this.form.querySelector('button'));
    this.restore = /** @type {HTMLButtonElement} */ (byId('restore'));
    this.dirty = false;
    this.rate.addEventListener('input', () => { this.dirty = true; });
    this.form.addEventListener('submit', (e) => {
      e.preventDefault();
      this.load();
    });
    this.restore.addEventListener('click', () => this.during(this.restore, async () => {
      await post('/api/v1/restore');
      say('everything is up again');
    }, 'restore all'));
    theme(themed);
  }

  load() {
    const n = Number(this.rate.value);
    if (this.rate.value === '' || !Number.isFinite(n) || !this.rate.checkValidity()) {
      this.say(`traffic: a number from 0 to ${this.rate.max}`, true);
      return;
    }
    this.during(this.set, async () => {
      await post('/api/v1/load', { per_second: n });
      this.dirty = false;
      this.say(`traffic is set to ${n} a second`);
    }, 'traffic');
  }

  /** @param {HTMLButtonElement} b @param {() => Promise<void>} work @param {string} what */
  async during(b, work, what) {
    if (b.getAttribute('aria-disabled') === 'true') return;
    attr(b, 'aria-disabled', 'true');
    try {
      await work();
    } catch (e) {
      this.say(`${what}: ${e instanceof Error ? e.message : e}`, true);
    } finally {
      attr(b, 'aria-disabled', null);
    }
  }

  /** @param {import('./world.js').World} w */
  render(w) {
    this.form.hidden = w.system.max_load <= 0;
    this.rate.max = String(w.system.max_load);
    if (!this.dirty && document.activeElement !== this.rate) this.rate.value = w.load.known ? String(w.load.per_second) : '';
    this.rate.placeholder = w.load.known ? '' : '?';
    const acts = [...w.nodes.values()].some((n) => n.verbs.length > 0);
    this.restore.hidden = !acts;
    this.restore.classList.toggle('due', [...w.nodes.values()].some((n) => n.state === 'down' || n.state === 'paused' || n.faults.length > 0 || tally(n) !== ''));
  }
}

/** @param {() => void} themed */
function theme(themed) {
  const b = byId('theme'), root = document.documentElement, light = matchMedia('(prefers-color-scheme: light)');
  const now = () => root.dataset.theme || (light.matches ? 'light' : 'dark');
  const show = () => {
    text(b, now() === 'dark' ? '☀ Light' : '☾ Dark');
    attr(b, 'aria-label', `Switch to the ${now() === 'dark' ? 'light' : 'dark'} theme`);
    themed();
  };
  b.addEventListener('click', () => {
    root.dataset.theme = now() === 'dark' ? 'light' : 'dark';
    try {
      localStorage.setItem('stillup-theme', root.dataset.theme);
    } catch { /* storage is switched off: it holds until the page is left */ }
  });
  light.addEventListener('change', show);
  new MutationObserver(show).observe(root, { attributeFilter: ['data-theme'] });
  show();
}
