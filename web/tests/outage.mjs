import { readFileSync } from 'node:fs';

/** The invented full frame: catalog dead, purchases paused with a pile. A new copy each time. */
export const outage = () => JSON.parse(readFileSync(new URL('../testdata/outage.json', import.meta.url), 'utf8'));
