// @ts-check
// What the server answers of the same work on several engines, and how it compares. Pure.

import { bool, json, key, list, num, object, oneOf, str, time } from './parse.js';

/**
 * @typedef {{workload: string, engine: string, node: string, version: string, embedded: boolean, how: string, keeps: string, disk: string,
 *   per_second: number, p50_ms: number, p99_ms: number, ops: number, errors: number, why: string}} Result why: it was not measured
 * @typedef {{state: 'idle'|'running'|'done', now: string, done: number, total: number, left_ms: number, seconds: number, workers: number, ended: number,
 *   can: boolean, why: string, workloads: {id: string, name: string, say: string}[],
 *   choices: {service: string, store: string, engine: string, why: string}[], results: Result[]}} Engines
 */

/** @param {string} text @returns {Engines} */
export function engines(text) {
  const o = object(json(text), 'workloads'), at = 'workloads';
  return {
    state: oneOf(str(o, 'state', at), /** @type {const} */ (['idle', 'running', 'done']), 'idle'), now: str(o, 'now', at), done: num(o, 'done', at), total: num(o, 'total', at),
    left_ms: num(o, 'left_ms', at), seconds: num(o, 'seconds', at), workers: num(o, 'workers', at), ended: time(o, 'ended', at), can: bool(o, 'can'), why: str(o, 'why', at),
    workloads: list(o, 'workloads', at, (w, p) => ({ id: key(w, 'id', p), name: key(w, 'name', p), say: str(w, 'say', p) })),
    choices: list(o, 'choices', at, (c, p) => ({ service: key(c, 'service', p), store: key(c, 'store', p), engine: key(c, 'engine', p), why: str(c, 'why', p) })),
    results: list(o, 'results', at, (r, p) => ({
      workload: key(r, 'workload', p), engine: key(r, 'engine', p), node: str(r, 'node', p), version: str(r, 'version', p), embedded: bool(r, 'embedded'), how: str(r, 'how', p),
      keeps: str(r, 'keeps', p), disk: str(r, 'disk', p), per_second: num(r, 'per_second', p), p50_ms: num(r, 'p50_ms', p), p99_ms: num(r, 'p99_ms', p), ops: num(r, 'ops', p),
      errors: num(r, 'errors', p), why: str(r, 'why', p),
    })),
  };
}

/** The results of one workload, each with its share of the best, 0 to 1. @param {Engines} e @param {string} workload */
export function compared(e, workload) {
  const all = e.results.filter((r) => r.workload === workload), most = Math.max(0, ...all.map((r) => r.per_second)), late = Math.max(0, ...all.map((r) => r.p99_ms));
  return all.map((r) => ({ ...r, share: most > 0 ? r.per_second / most : 0, wait: late > 0 ? r.p99_ms / late : 0, best: r.why === '' && r.per_second === most }));
}

/** The fastest in words: "Redis did 4.2 times as much as Postgres"; '' where less than two were measured. @param {Engines} e @param {string} workload @param {(engine: string) => string} name */
export function verdict(e, workload, name) {
  const [a, b] = compared(e, workload).filter((r) => r.why === '').sort((x, y) => y.per_second - x.per_second);
  if (!a || !b) return '';
  const times = a.per_second / b.per_second;
  return times < 1.15 ? `${name(a.engine)} and ${name(b.engine)} did about the same.` : `${name(a.engine)} did ${times < 10 ? times.toFixed(1) : Math.round(times)} times as much as ${name(b.engine)}, the next.`;
}

/** How far a run is. @param {Engines} e */
export function runWords(e) {
  if (e.state !== 'running') return '';
  return `${e.done} of ${e.total} measured${e.now ? `, now ${e.now}` : ''}${e.left_ms > 0 ? `, at least ${Math.ceil(e.left_ms / 1000)} s left` : ''}`;
}
