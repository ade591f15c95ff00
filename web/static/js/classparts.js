// @ts-check
// What the server answers of a class, by parsers that reject what is not one; and how it is said. Pure.

import { bool, FrameError, json, key, num, object, list, str } from './parse.js';
import { count } from './words.js';

/**
 * @typedef {{id: string, key: string, follow: string}} Opened follow: the path of its link
 * @typedef {{cell: string, works: number, fails: number}} Spread how many guessed what of a cell
 * @typedef {{chapter: string, step: string, followers: number, answered: number, ended: boolean, spread: Spread[]|null}} Told
 *   chapter '' where it has not begun; spread: null for who is not its presenter
 */

/** @param {string} text @returns {Opened} @throws {FrameError} */
export function opened(text) {
  const o = object(json(text), 'class'), follow = key(o, 'follow', 'class');
  if (!/^\/follow\/[^/?#]+$/.test(follow)) throw new FrameError('class.follow is not the path of a class');
  return { id: key(o, 'id', 'class'), key: key(o, 'key', 'class'), follow };
}

/** @param {import('./parse.js').Raw} o @param {string} k @param {string} at */
function whole(o, k, at) {
  const n = num(o, k, at);
  if (!Number.isInteger(n) || n < 0) throw new FrameError(`${at}.${k} is not a count`);
  return n;
}

/** @param {string} text @returns {Told} @throws {FrameError} */
export function told(text) {
  const o = object(json(text), 'class');
  return {
    chapter: str(o, 'chapter', 'class'), step: str(o, 'step', 'class'), followers: whole(o, 'followers', 'class'), answered: whole(o, 'answered', 'class'), ended: bool(o, 'ended'),
    spread: o.spread === undefined || o.spread === null ? null
      : list(o, 'spread', 'class', (s, at) => ({ cell: key(s, 'cell', at), works: whole(s, 'works', at), fails: whole(s, 'fails', at) })),
  };
}

/** What a kept class is; anything else is none. @param {string|null} text @returns {Pick<Opened, 'id'|'key'>|undefined} */
export function keptClass(text) {
  if (!text) return undefined;
  try {
    const o = object(json(text), 'class');
    return { id: key(o, 'id', 'class'), key: key(o, 'key', 'class') };
  } catch {
    return undefined;
  }
}

/** Rows of bars: both shares in per cent, 0 without answers. @param {Spread[]} all */
export const spreadRows = (all) => all.map(({ cell, works, fails }) => {
  const n = works + fails;
  return { cell, works: n > 0 ? (100 * works) / n : 0, fails: n > 0 ? (100 * fails) / n : 0, words: n > 0 ? `${count(works)} works · ${count(fails)} fails` : 'no answer yet' };
});

/** @param {number} n who follow */
export const followWords = (n) => (n === 0 ? 'nobody follows yet' : n === 1 ? '1 follows' : `${count(n)} follow`);

/** @param {Pick<Told, 'answered'|'followers'>} t */
export const answerWords = ({ answered, followers }) => (answered === 0 ? 'no answers yet' : `${count(answered)} of ${count(Math.max(followers, answered))} answered`);

/** Whether an address is this machine's alone. @param {string} host without port */
export const isLocal = (host) => /^(localhost|.*\.localhost|127(\.\d+){3}|\[?::1\]?)$/.test(host);
