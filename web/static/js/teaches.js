// @ts-check
// The class that was opened by this browser: kept until it is ended, so that its presenter goes on with it.

import { keep, kept } from './classcall.js';
import { keptClass } from './classparts.js';

const KEY = 'stillup-class', store = () => localStorage;

/** The class that is not ended yet. @returns {{id: string, key: string}|undefined} */
export const taught = () => keptClass(kept(store, KEY));

/** @param {{id: string, key: string}|null} c null: there is none any more */
export const keepTaught = (c) => keep(store, KEY, c && JSON.stringify({ id: c.id, key: c.key }));
