import { readFileSync } from 'node:fs';

const read = (name) => JSON.parse(readFileSync(new URL(`../testdata/${name}.json`, import.meta.url), 'utf8'));
const keyOf = (x) => x.id ?? x.name ?? (x.feature ? `${x.feature}/${x.pattern}` : x.seq);

/** The invented calm shop as a full frame, with what a state changes of it. A new copy each time. */
export function state(name) {
  const f = read('calm');
  for (const [k, v] of Object.entries(name === 'calm' ? {} : read(name))) {
    if (!Array.isArray(v)) f[k] = { ...f[k], ...v };
    else for (const part of v) {
      const old = f[k].find((x) => keyOf(x) === keyOf(part));
      if (old) Object.assign(old, part);
      else f[k].push(part);
    }
  }
  return f;
}

/** Catalog dead, purchases paused with a pile. */
export const outage = () => state('outage');
