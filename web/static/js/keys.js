// @ts-check
// The table of keys: what each does, in words. The sheet shows this table and the keyboard obeys it, so that they cannot
// differ. Pure.

/**
 * @typedef {'go'|'inspect'|'kill'|'start'|'stop'|'pause'|'heal'|'more'|'restore'|'search'|'in'|'out'|'fit'
 *   |'lens'|'feed'|'data'|'tour'|'terms'|'theme'|'big'|'sheet'} Act
 */
/**
 * @typedef {object} Key
 * @property {Act} act
 * @property {string[]} keys as KeyboardEvent.key has them, letters in lower case
 * @property {string} show what the sheet writes for it
 * @property {string} words what it does
 * @property {'node'|'map'|'page'} group
 * @property {boolean} [shift] the letter with Shift; a letter without this is one without Shift
 */

/** @type {Key[]} */
export const KEYS = [
  { act: 'go', keys: ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'], show: '← → ↑ ↓', words: 'go to the next node in that direction', group: 'node' },
  { act: 'inspect', keys: ['Enter'], show: 'Enter', words: 'inspect it', group: 'node' },
  { act: 'kill', keys: ['k'], show: 'K', words: 'kill it', group: 'node' },
  { act: 'start', keys: ['s'], show: 'S', words: 'start it', group: 'node' },
  { act: 'stop', keys: ['s'], shift: true, show: 'Shift S', words: 'stop it in good order', group: 'node' },
  { act: 'pause', keys: ['p'], show: 'P', words: 'pause it, or let it go on', group: 'node' },
  { act: 'heal', keys: ['h'], show: 'H', words: 'lift its faults', group: 'node' },
  { act: 'more', keys: ['m'], show: 'M', words: 'more that can be done to it', group: 'node' },
  { act: 'search', keys: ['/'], show: '/', words: 'search', group: 'map' },
  { act: 'in', keys: ['+', '='], show: '+', words: 'nearer', group: 'map' },
  { act: 'out', keys: ['-', '−'], show: '−', words: 'farther', group: 'map' },
  { act: 'fit', keys: ['0'], show: '0', words: 'the whole map', group: 'map' },
  { act: 'lens', keys: ['1', '2', '3', '4', '5', '6'], show: '1 – 6', words: 'show all patterns, or one', group: 'map' },
  { act: 'feed', keys: ['f'], show: 'F', words: 'freeze the feed of events, or let it go on', group: 'page' },
  { act: 'data', keys: ['d'], show: 'D', words: 'open the data, or close them', group: 'page' },
  { act: 'tour', keys: ['w'], show: 'W', words: 'open the walkthrough, or close it', group: 'page' },
  { act: 'terms', keys: ['g'], show: 'G', words: 'what the terms mean', group: 'page' },
  { act: 'restore', keys: ['r'], show: 'R R', words: 'restore everything (twice within 3 s)', group: 'page' },
  { act: 'big', keys: ['b'], show: 'B', words: 'big type for a room, or back', group: 'page' },
  { act: 'theme', keys: ['t'], show: 'T', words: 'light or dark', group: 'page' },
  { act: 'sheet', keys: ['?'], show: '?', words: 'this sheet', group: 'page' },
];

/** Whether it is a character, which a screen reader or speech input may want for itself: the switch turns those off. @param {Key} k */
export const single = (k) => k.keys.every((x) => x.length === 1);

/**
 * The entry for a key press.
 * @param {{key: string, shiftKey: boolean, ctrlKey: boolean, altKey: boolean, metaKey: boolean}} e
 * @param {boolean} singles whether single characters do anything
 * @returns {Key|undefined}
 */
export function keyOf(e, singles) {
  if (e.ctrlKey || e.altKey || e.metaKey) return undefined;
  const letter = /^[a-z]$/i.test(e.key), name = letter ? e.key.toLowerCase() : e.key;
  return KEYS.find((k) => k.keys.includes(name) && (singles || !single(k))
    && (!letter && single(k) || e.shiftKey === (k.shift ?? false))); // where the signs and digits are is the keyboard's affair
}
