// @ts-check
// Requests about a class, whose refusals are told apart by their status; names of who takes part; and what is kept of it.

import { detail } from './api.js';

/** A request that the server did not do. */
export class Refusal extends Error {
  /** @param {number} status @param {string} words */
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

/** An answer has to come by then, ms. */
const WITHIN = 8000;

/**
 * @param {string} method @param {string} path @param {unknown} body
 * @returns {Promise<string>} the answer's body
 * @throws {Refusal} where the server answered otherwise
 * @throws {Error} where it did not answer in time
 */
export async function call(method, path, body) {
  let res;
  try {
    res = await fetch(path, { method, headers: { 'Content-Type': 'application/json', Accept: 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(WITHIN) });
  } catch {
    throw new Error('the dashboard does not answer');
  }
  if (!res.ok) throw new Refusal(res.status, await detail(res));
  return res.text();
}

/** Whether to ask again may help: nothing answered, or not now. What is not found may be so again after a restart. @param {unknown} e */
export const passes = (e) => !(e instanceof Refusal) || e.status >= 500 || e.status === 404 || e.status === 429;

/** A name by chance: as many as follow do not get the same one. Pages that have no secure origin can make one too. */
export const randomName = () => [...crypto.getRandomValues(new Uint8Array(10))].map((b) => b.toString(16).padStart(2, '0')).join('');

/** @param {() => Storage} of which may be switched off @param {string} k @returns {string|null} */
export function kept(of, k) {
  try {
    return of().getItem(k);
  } catch {
    return null;
  }
}

/** Where storage is switched off it holds until the page is left. @param {() => Storage} of @param {string} k @param {string|null} v null: no more */
export function keep(of, k, v) {
  try {
    if (v === null) of().removeItem(k);
    else of().setItem(k, v);
  } catch { /* it is switched off */ }
}

/** The name of who looks from this tab. @returns {string} */
export function ownName() {
  const k = 'stillup-who', have = kept(() => sessionStorage, k);
  if (have) return have;
  const name = randomName();
  keep(() => sessionStorage, k, name);
  return name;
}
