// @ts-check
// What the API answers to a reader: the cost of one cell, hop by hop. The types, and a parser that rejects what is not so.

import { cell, cost } from './messages.js';
import { bool, json, list, num, object, str, strings, time } from './parse.js';

/**
 * @typedef {{from: string, to: string, via: string, method: string, path: string, status: number, failed: boolean,
 *   reason: string, start_ms: number, took_ms: number, depth: number}} Hop from: '' for the dashboard's own probe; via: ''
 *   a request, 'bus', 'store'
 * @typedef {{stream: string, type: string, subject: string, node: string, at_ms: number}} Message
 * @typedef {{trace: string, at: number, took_ms: number, failed: boolean, cost: import('./messages.js').Cost, hops: Hop[],
 *   messages: Message[]}} Waterfall
 * @typedef {{cell: import('./messages.js').Cell, needs: string[], waterfall: Waterfall|null}} Detail
 */
/** @typedef {import('./parse.js').Raw} Raw */

/** @param {Raw} o @param {string} at @returns {Hop} */
const hop = (o, at) => ({
  from: str(o, 'from', at), to: str(o, 'to', at), via: str(o, 'via', at), method: str(o, 'method', at), path: str(o, 'path', at),
  status: num(o, 'status', at), failed: bool(o, 'failed'), reason: str(o, 'reason', at), start_ms: num(o, 'start_ms', at),
  took_ms: num(o, 'took_ms', at), depth: Math.max(1, num(o, 'depth', at)),
});

/** @param {Raw} o @param {string} at @returns {Message} */
const message = (o, at) => ({
  stream: str(o, 'stream', at), type: str(o, 'type', at), subject: str(o, 'subject', at), node: str(o, 'node', at),
  at_ms: num(o, 'at_ms', at),
});

/** @param {Raw} o @param {string} at @returns {Waterfall} */
const waterfall = (o, at) => ({
  trace: str(o, 'trace', at), at: time(o, 'at', at), took_ms: num(o, 'took_ms', at), failed: bool(o, 'failed'),
  cost: cost(o, 'cost', at) ?? { services: 0, hops: 0, messages: 0, depth: 0 },
  hops: list(o, 'hops', at, hop), messages: list(o, 'messages', at, message),
});

/** @param {string} text of GET /api/v1/features/{feature}/{pattern} @returns {Detail} @throws {import('./parse.js').FrameError} */
export function detail(text) {
  const o = object(json(text), 'answer');
  const w = o.waterfall === undefined || o.waterfall === null ? null : object(o.waterfall, 'answer.waterfall');
  return { cell: cell(object(o.cell, 'answer.cell'), 'answer.cell'), needs: strings(o, 'needs', 'answer'), waterfall: w && waterfall(w, 'answer.waterfall') };
}
