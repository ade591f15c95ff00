// @ts-check
// The "more" window of a node: the verbs that do not stand at it, and how slow and how faulty. There is one for the page; it
// shows the node whose button opened it.

import { attr, el, text } from './dom.js';
import { Popover } from './popover.js';
import { others, VERBS } from './verbs.js';
import { brief } from './words.js';

/** @param {string} value @param {string} max @param {string} step */
function number(value, max, step) {
  const i = el('input', 'more-number');
  i.type = 'number';
  i.min = step;
  i.max = max;
  i.step = 'any';
  i.value = value;
  i.inputMode = 'decimal';
  return i;
}

export class More {
  /** @param {import('./verbs.js').Say} say */
  constructor(say) {
    this.say = say;
    this.title = el('h2', 'popover-title');
    this.about = el('p', 'more-about');
    this.latency = number('300', '10000', '1');
    this.share = number('20', '100', '1');
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
    for (const verb of ['resume', 'pause', 'start', 'kill', 'stop', 'slow', 'errors', 'cut', 'heal']) this.row(verb);
    this.popover = new Popover('more', this.title, this.about, ...this.rows.values());
    /** @type {import('./verbs.js').Verbs|undefined} */
    this.verbs = undefined;
  }

  /** @param {string} verb */
  row(verb) {
    const b = el('button', `verb verb-${verb}`, VERBS[verb].name);
    b.type = 'submit';
    const say = verb === 'slow' ? ['Its answers come', this.latency, 'ms later'] : verb === 'errors' ? ['Of its requests', this.share, '% fail'] : [VERBS[verb].title];
    const form = el('form', 'more-row', b, el('span', 'more-say', ...say));
    form.noValidate = true;
    form.addEventListener('submit', (e) => {
      e.preventDefault();
      this.act(verb);
    });
    this.rows.set(verb, form);
    this.buttons.set(verb, b);
  }

  /** @param {HTMLButtonElement} opener @param {import('./verbs.js').Verbs} verbs */
  open(opener, verbs) {
    this.verbs = verbs;
    this.render();
    this.popover.show(opener, `More for ${verbs.name}`);
  }

  /** Shows what can be done to the node as it is now. */
  render() {
    const n = this.verbs?.node;
    if (!n || !this.verbs) return;
    const all = others(n, this.verbs.room), { name } = this.verbs;
    text(this.title, n.replicas.length > 1 ? `${name}, all ${n.replicas.length} replicas` : name);
    text(this.about, this.verbs.about);
    this.about.hidden = !this.verbs.about;
    for (const [verb, row] of this.rows) {
      row.hidden = !all.includes(verb);
      attr(/** @type {HTMLButtonElement} */ (this.buttons.get(verb)), 'aria-label', `${brief(VERBS[verb].name)} ${name}`);
    }
    attr(this.latency, 'aria-label', `How much later ${name} answers, in milliseconds`);
    attr(this.share, 'aria-label', `How many of the requests to ${name} fail, per cent`);
    if (all.length === 0) this.popover.close();
  }

  /** @param {string} verb */
  act(verb) {
    const latency = Number(this.latency.value), share = Number(this.share.value);
    if (verb === 'slow' && !(latency >= 1 && latency <= 10000)) {
      this.say('slow: give 1 to 10,000 ms', true);
      this.latency.focus();
      return;
    }
    if (verb === 'errors' && !(share > 0 && share <= 100)) {
      this.say('errors: give more than 0 and at most 100 per cent', true);
      this.share.focus();
      return;
    }
    const body = verb === 'slow' ? { latency_ms: Math.round(latency) } : verb === 'errors' ? { share: share / 100 } : undefined;
    this.popover.close();
    this.verbs?.act(verb, body);
  }
}
