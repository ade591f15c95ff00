// @ts-check
// One thing as all its stores have it, field by field. Pure.

/** @typedef {import('./dataparts.js').Copy} Copy */
/** @typedef {{value: string, same: 'same'|'differs'|'own'}|undefined} Spot undefined: that store has no such field */
/** @typedef {{name: string, differs: boolean, spots: Spot[]}} Row a spot for each store, in their order */

/** Rows for all fields: the owner's in its order, then what others have besides. @param {Copy[]} copies the owner's first @returns {Row[]} */
export function fieldRows(copies) {
  const names = [...new Set(copies.flatMap((c) => c.fields.map((f) => f.name)))];
  return names.map((name) => {
    const spots = copies.map((c) => c.fields.find((f) => f.name === name));
    return { name, spots, differs: spots.some((s) => s?.same === 'differs') };
  });
}

/** What of a copy a reader sees change. @param {Copy} c */
const state = (c) => JSON.stringify([c.found, c.why, c.version, c.raw, c.fields.map((f) => [f.name, f.value])]);

/** In which stores the thing is otherwise than it was. @param {Copy[]} before @param {Copy[]} now @returns {string[]} nodes */
export function changed(before, now) {
  const had = new Map(before.map((c) => [c.node, state(c)]));
  return now.filter((c) => had.has(c.node) && had.get(c.node) !== state(c)).map((c) => c.node);
}
