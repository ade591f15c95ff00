// @ts-check
// What can be changed of one thing: a small form for each action, filled with what the owner has.

import { el } from './dom.js';
import { euros, wrong } from './datawords.js';
import { say } from './pieces.js';

/** @typedef {import('./dataparts.js').Action} Action */

/**
 * What a form holds, for the action. Pure but for reading the form's fields.
 * @param {Action} a @param {{elements: {namedItem: (name: string) => unknown}}} form
 * @returns {Record<string, string|number>|string} a text says what is wrong
 */
export function values(a, form) {
  /** @type {Record<string, string|number>} */
  const out = {};
  for (const f of a.fields) {
    const i = /** @type {{value: string}|null} */ (form.elements.namedItem(f.name)), v = i?.value ?? '', bad = wrong(f, v);
    if (bad) return bad;
    out[f.name] = f.type === 'number' ? Number(v) : v.trim();
  }
  return out;
}

/** @param {Action[]} all @param {import('./dataparts.js').Copy|undefined} owner @param {import('./actions.js').Actions} actions
 *  @param {HTMLElement} within where the forms stand already: what is written there is kept */
export function changeForms(all, owner, actions, within) {
  if (all.length === 0) return [];
  const forms = el('div', 'changes', ...all.map((a) => {
    const busy = actions.busy.has(a.id), word = actions.said.get(a.id), b = el('button', 'act act-run', busy ? 'Asking…' : a.name);
    b.type = 'submit';
    if (busy) b.setAttribute('aria-disabled', 'true');
    const fields = a.fields.map((f) => {
      const i = el('input', f.type === 'number' ? 'number' : 'text'), now = owner?.fields.find((x) => x.name === (f.from || f.name))?.value ?? '';
      i.type = 'text';
      i.name = f.name;
      if (f.type === 'number') i.inputMode = 'decimal';
      i.setAttribute('value', now);
      const written = /** @type {HTMLInputElement|null} */ (within.querySelector(`form[data-action="${CSS.escape(a.id)}"] input[name="${CSS.escape(f.name)}"]`))?.value ?? now;
      return el('label', '', el('span', '', f.label), i, el('span', 'as-euros', f.type === 'number' ? euros(f.label, written) : ''));
    });
    const form = el('form', 'change', ...fields, ...(a.can ? [b] : []), ...(!a.can ? [say(`Not now: ${a.why}`, 'warn')] : []), ...(word?.words ? [el('p', `words ${word.bad ? 'bad' : 'good'}`, word.words)] : []));
    form.dataset.action = a.id;
    form.title = a.say;
    form.noValidate = true;
    form.setAttribute('aria-label', a.name);
    return form;
  }));
  forms.dataset.key = 'changes';
  return [forms];
}
