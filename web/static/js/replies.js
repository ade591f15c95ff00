// @ts-check
// What the API answers about one node, stream, connection or event, about many events, and about dead letters.

import { edge, event, lane, node } from './messages.js';
import { bool, json, key, list, num, object, str, strings, time } from './parse.js';

/** @typedef {import('./parse.js').Raw} Raw */

/**
 * A parser of objects, from one for each field.
 * @template {Record<string, (o: Raw, k: string, at: string) => any>} S
 * @param {S} spec @returns {(o: Raw, at: string) => {[K in keyof S]: ReturnType<S[K]>}}
 */
const record = (spec) => (o, at) => /** @type {any} */ (Object.fromEntries(Object.entries(spec).map(([k, f]) => [k, f(o, k, at)])));

/** @template T @param {(o: Raw, at: string) => T} each @returns {(o: Raw, k: string, at: string) => T[]} */
const many = (each) => (o, k, at) => list(o, k, at, each);

/** @template T @param {(o: Raw, at: string) => T} one @returns {(o: Raw, k: string, at: string) => T|null} */
const maybe = (one) => (o, k, at) => (o[k] === undefined || o[k] === null ? null : one(object(o[k], `${at}.${k}`), `${at}.${k}`));

/** @template T @param {(o: Raw, at: string) => T} one @returns {(o: Raw, k: string, at: string) => T} */
const must = (one) => (o, k, at) => one(object(o[k], `${at}.${k}`), `${at}.${k}`);

/** @param {Raw} o @param {string} k @param {string} at @returns {number|null} */
const numOr = (o, k, at) => (o[k] === undefined || o[k] === null ? null : num(o, k, at));

/** @param {Raw} o @param {string} k @returns {unknown} of any type */
const any = (o, k) => o[k] ?? null;

/** @template T @param {(o: Raw, at: string) => T} one @returns {(text: string) => T} throws FrameError */
const answer = (one) => (text) => one(object(json(text), 'answer'), 'answer');

const asks = { edge: str, kind: str, rate: num, failed_rate: num, p50_ms: num, reason: str };

export const nodeReply = answer(record({
  node: must(node),
  routes: many(record({ method: str, route: str, rate: num, failed_rate: num, p50_ms: num, p99_ms: num, total: num, failed: num, last_error: str, last_error_at: time })),
  emits: many(record({ stream: key, rate: num, total: num, types: many(record({ type: str, total: num })) })),
  takes: many(record({ stream: key, group: str, rate: num, total: num, waiting: num, lag: num, pending: num, consumers: num, oldest_ms: num, retries: num, dead: num, trimmed_unread: bool,
    members: many(record({ name: str, replica: str, pending: num, idle_ms: num })) })),
  calls: many(record({ ...asks, to: key })), callers: many(record({ ...asks, from: str })),
  stores: many(node), owner: maybe(node),
  errors: many(record({ at: time, text: str, where: str, trace: str })), env: many(record({ name: str, value: str })),
}));

const entry = record({ entry_id: str, at: time });
export const streamReply = answer(record({
  stream: must(lane), first: maybe(entry), last: maybe(entry), emitters: strings,
  groups: many(record({ name: str, service: str, lag: num, pending: num, consumers: num, retries: num, oldest_ms: num, lag_ms: num, trimmed_unread: bool })),
}));

const step = record({
  kind: str, from: str, to: str, stream: str, type: str, subject: str, event_id: str, via: str, method: str, path: str, status: num,
  failed: bool, reason: str, start_ms: num, took_ms: num, depth: num,
});
const whole = record({
  raw: any, deliveries: many(record({ service: key, group: str, state: str, after_ms: numOr, attempts: numOr, reason: str, outcome: str })),
  chain: maybe(record({ trace: str, steps: many(step), whole: bool })),
});
export const eventReply = answer((o, at) => ({ ...event(o, at), ...whole(o, at) }));

export const edgeReply = answer(record({
  edge: must(edge), last: many(record({ at: time, kind: str, method: str, path: str, status: num, failed: bool, reason: str, took_ms: numOr, trace: str,
    event: maybe(record({ seq: num, id: str, type: str, subject: str })) })),
}));

export const deadReply = answer(record({
  total: num, dead: many(record({ stream: key, of: str, entry_id: key, id: str, type: str, subject: str, group: str, reason: str, attempts: num, at: time, raw: any })),
}));

export const sentReply = answer(record({ sent: num }));

export const logReply = answer(record({ lines: many(record({ at: time, replica: str, text: str })) }));

/** @typedef {ReturnType<typeof nodeReply>} NodeReply @typedef {ReturnType<typeof streamReply>} StreamReply */
/** @typedef {ReturnType<typeof eventReply>} EventReply @typedef {ReturnType<typeof edgeReply>} EdgeReply */
/** @typedef {ReturnType<typeof logReply>['lines'][number]} LogLine */
/** @typedef {ReturnType<typeof deadReply>} DeadReply @typedef {ReturnType<typeof step>} Step */
