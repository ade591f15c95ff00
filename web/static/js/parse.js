// @ts-check
// Reads parts of a message and rejects what is of another type, naming the place.

/** A message that is not what it should be; its text says where it is wrong. */
export class FrameError extends Error {}

/** @typedef {Record<string, unknown>} Raw */

/** @param {unknown} v @param {string} at @returns {Raw} */
export function object(v, at) {
  if (typeof v !== 'object' || v === null || Array.isArray(v)) throw new FrameError(`${at} is not an object`);
  return /** @type {Raw} */ (v);
}

/** @param {Raw} o @param {string} k @param {string} at @returns {string} '' where absent */
export function str(o, k, at) {
  const v = o[k];
  if (v === undefined || v === null) return '';
  if (typeof v !== 'string') throw new FrameError(`${at}.${k} is not a string`);
  return v;
}

/** @param {Raw} o @param {string} k @param {string} at @returns {string} */
export function key(o, k, at) {
  const v = str(o, k, at);
  if (v === '') throw new FrameError(`${at}.${k} is missing`);
  return v;
}

/** @param {Raw} o @param {string} k @param {string} at @returns {number} 0 where absent */
export function num(o, k, at) {
  const v = o[k];
  if (v === undefined || v === null) return 0;
  if (typeof v !== 'number' || !Number.isFinite(v)) throw new FrameError(`${at}.${k} is not a number`);
  return v;
}

/** @param {Raw} o @param {string} k @returns {boolean} */
export const bool = (o, k) => o[k] === true;

/** @param {Raw} o @param {string} k @param {string} at @returns {number} ms of the epoch; NaN for none or Go's zero time */
export function time(o, k, at) {
  const s = str(o, k, at);
  if (s === '' || s.startsWith('0001-')) return NaN;
  const ms = Date.parse(s);
  if (Number.isNaN(ms)) throw new FrameError(`${at}.${k} is not a time`);
  return ms;
}

/**
 * @template T
 * @param {Raw} o @param {string} k @param {string} at @param {(r: Raw, at: string) => T} each
 * @returns {T[]}
 */
export function list(o, k, at, each) {
  const v = o[k];
  if (v === undefined || v === null) return [];
  if (!Array.isArray(v)) throw new FrameError(`${at}.${k} is not a list`);
  return v.map((x, i) => each(object(x, `${at}.${k}[${i}]`), `${at}.${k}[${i}]`));
}

/** @param {Raw} o @param {string} k @param {string} at @returns {string[]} */
export function strings(o, k, at) {
  const v = o[k];
  if (v === undefined || v === null) return [];
  if (!Array.isArray(v) || v.some((x) => typeof x !== 'string')) throw new FrameError(`${at}.${k} is not a list of strings`);
  return v;
}

/**
 * @template {string} T
 * @param {string} v @param {readonly T[]} allowed @param {T} otherwise
 * @returns {T}
 */
export function oneOf(v, allowed, otherwise) {
  return /** @type {readonly string[]} */ (allowed).includes(v) ? /** @type {T} */ (v) : otherwise;
}

/**
 * An object whose every value is a number.
 * @param {Raw} o @param {string} k @param {string} at @returns {Record<string, number>}
 */
export function numbers(o, k, at) {
  const v = o[k];
  if (v === undefined || v === null) return {};
  const r = object(v, `${at}.${k}`);
  return Object.fromEntries(Object.keys(r).map((name) => [name, num(r, name, `${at}.${k}`)]));
}

/** @param {string} text @returns {unknown} @throws {FrameError} */
export function json(text) {
  try {
    return JSON.parse(text);
  } catch (e) {
    throw new FrameError(`not JSON: ${e instanceof Error ? e.message : e}`);
  }
}
