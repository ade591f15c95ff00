// @ts-check
// What the server answers of data: copies, totals, actions and the bus's troubles; parsers that reject what is not one.

import { holding } from './messages.js';
import { bool, json, key, list, num, object, oneOf, str, strings, time } from './parse.js';

/** @typedef {import('./parse.js').Raw} Raw */
/**
 * @typedef {import('./messages.js').Holding} Holding
 * @typedef {{kind: string, name: string, owned_bytes: number, copied_bytes: number, factor: number, holdings: Holding[]}} Total
 * @typedef {{id: string, label: string, version: number}} Hit
 * @typedef {{name: string, value: string, same: 'same'|'differs'|'own'}} Field own: the owner has no such field
 * @typedef {{node: string, service: string, engine: string, copy: boolean, form: string, place: string, found: boolean,
 *   why: string, version: number, bytes: number, raw: string, fields: Field[], keys: {key: string, value: string}[],
 *   versions_behind: number, events_behind: number, behind_ms: number}} Copy of one thing in one store; why: it could not be asked
 * @typedef {{kind: string, id: string, at: number, records: Copy[]}} Thing records: the owner's first
 * @typedef {'idle'|'running'|'done'|'failed'} JobState
 * @typedef {{state: JobState, said: string, done: number, total: number, per_second: number, left_ms: number, before: string,
 *   after: string, began: number, ended: number}} Progress total 0, left_ms -1: not known; before, after: digests
 * @typedef {{name: string, label: string, from: string, type: string}} Input
 * @typedef {'change'|'schema'|'rebuild'|'publish'|'join'} Group
 * @typedef {{id: string, group: Group, name: string, say: string, kind: string, node: string, fields: Input[], job: boolean,
 *   joins: string[], heals: string, can: boolean, why: string, progress: Progress|null}} Action
 */

/** @param {string} text @returns {Total[]} */
export const totals = (text) => list(object(json(text), 'copies'), 'kinds', 'copies', (o, at) => ({
  kind: key(o, 'kind', at), name: str(o, 'name', at) || key(o, 'kind', at), owned_bytes: num(o, 'owned_bytes', at),
  copied_bytes: num(o, 'copied_bytes', at), factor: num(o, 'factor', at), holdings: list(o, 'holdings', at, holding),
}));

/** @param {string} text @returns {{hits: Hit[], more: boolean, node: string}} */
export function hits(text) {
  const o = object(json(text), 'records');
  return { node: str(o, 'node', 'records'), more: bool(o, 'more'),
    hits: list(o, 'records', 'records', (r, at) => ({ id: key(r, 'id', at), label: str(r, 'label', at), version: num(r, 'version', at) })) };
}

/** @param {Raw} o @param {string} at @returns {Copy} */
const copy = (o, at) => ({
  node: key(o, 'node', at), service: str(o, 'service', at), engine: str(o, 'engine', at), copy: bool(o, 'copy'), form: str(o, 'form', at),
  place: str(o, 'place', at), found: bool(o, 'found'), why: str(o, 'why', at), version: num(o, 'version', at), bytes: num(o, 'bytes', at),
  raw: str(o, 'raw', at), versions_behind: num(o, 'versions_behind', at), events_behind: num(o, 'events_behind', at), behind_ms: num(o, 'behind_ms', at),
  fields: list(o, 'fields', at, (f, p) => ({ name: key(f, 'name', p), value: str(f, 'value', p), same: oneOf(str(f, 'same', p), /** @type {const} */ (['same', 'differs', 'own']), 'same') })),
  keys: list(o, 'keys', at, (k, p) => ({ key: key(k, 'key', p), value: str(k, 'value', p) })),
});

/** @param {string} text @returns {Thing} */
export function thing(text) {
  const o = object(json(text), 'thing');
  return { kind: key(o, 'kind', 'thing'), id: key(o, 'id', 'thing'), at: time(o, 'at', 'thing'), records: list(o, 'records', 'thing', copy) };
}

/** @param {Raw} o @param {string} at @returns {Progress} */
const progress = (o, at) => ({
  state: oneOf(str(o, 'state', at), /** @type {const} */ (['idle', 'running', 'done', 'failed']), 'idle'), said: str(o, 'said', at),
  done: num(o, 'done', at), total: num(o, 'total', at), per_second: num(o, 'per_second', at), left_ms: num(o, 'left_ms', at),
  before: str(o, 'before', at), after: str(o, 'after', at), began: time(o, 'began', at), ended: time(o, 'ended', at),
});

/** @param {Raw} o @param {string} at @returns {Action} */
const action = (o, at) => ({
  id: key(o, 'id', at), group: oneOf(str(o, 'group', at), /** @type {const} */ (['change', 'schema', 'rebuild', 'publish', 'join']), 'change'),
  name: str(o, 'name', at) || key(o, 'id', at), say: str(o, 'say', at), kind: str(o, 'kind', at), node: str(o, 'node', at), job: bool(o, 'job'),
  joins: strings(o, 'joins', at), heals: str(o, 'heals', at), can: bool(o, 'can'), why: str(o, 'why', at),
  fields: list(o, 'fields', at, (f, p) => ({ name: key(f, 'name', p), label: str(f, 'label', p) || key(f, 'name', p), from: str(f, 'from', p), type: str(f, 'type', p) })),
  progress: o.progress === undefined || o.progress === null ? null : progress(object(o.progress, `${at}.progress`), `${at}.progress`),
});

/** @param {string} text @returns {Action[]} */
export const actions = (text) => list(object(json(text), 'actions'), 'actions', 'actions', action);

/** @param {string} text @returns {{status: number, took_ms: number, answer: unknown}} what the node said */
export function acted(text) {
  const o = object(json(text), 'answer');
  return { status: num(o, 'status', 'answer'), took_ms: num(o, 'took_ms', 'answer'), answer: o.answer ?? null };
}

/** @param {string} text @returns {{name: string, lost: number}[]} by stream */
export const lost = (text) => list(object(json(text), 'lost'), 'streams', 'lost', (o, at) => ({ name: key(o, 'name', at), lost: num(o, 'lost', at) }));

/** @param {string} text @returns {number} entries that were cut off */
export const trimmed = (text) => num(object(json(text), 'trimmed'), 'trimmed', 'trimmed');

/** @param {string} text @returns {{entry: string, said: string}} */
export function disturbed(text) {
  const o = object(json(text), 'disturbed');
  return { entry: str(o, 'entry_id', 'disturbed'), said: str(o, 'said', 'disturbed') };
}
