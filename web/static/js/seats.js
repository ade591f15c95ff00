// @ts-check
// Who sits where on the banks: a seat is a bank, a row and a column. Given the seats of before, all who had one keep it; a
// newcomer takes the first free one, else a new column. So a node that comes or goes moves no other. Pure.

/** @typedef {{bank: -1|1, row: number, col: number}} Seat row: from the top, on either bank */

/**
 * @param {string[]} ids @param {number} rows a bank @param {ReadonlyMap<string, Seat>} [before]
 * @returns {{seats: Map<string, Seat>, cols: number}} cols of the wider bank
 */
export function seated(ids, rows, before = new Map()) {
  /** @type {Map<string, Seat>} */
  const seats = new Map();
  const kept = ids.filter((id) => before.has(id));
  if (kept.length === 0) {
    const half = Math.ceil(ids.length / 2), cols = Math.max(1, Math.ceil(half / rows));
    ids.forEach((id, i) => {
      const k = i < half ? i : i - half;
      seats.set(id, { bank: i < half ? -1 : 1, row: Math.floor(k / cols), col: k % cols });
    });
    return { seats, cols };
  }
  const taken = new Set(), count = { '-1': 0, 1: 0 };
  let cols = 1;
  const sit = (/** @type {string} */ id, /** @type {Seat} */ s) => {
    seats.set(id, s);
    taken.add(`${s.bank}/${s.row}/${s.col}`);
    count[s.bank]++;
    cols = Math.max(cols, s.col + 1);
  };
  for (const s of before.values()) cols = Math.max(cols, s.col + 1); // a column stays, though empty
  for (const id of kept) sit(id, /** @type {Seat} */ (before.get(id)));
  for (const id of ids) {
    if (seats.has(id)) continue;
    const banks = /** @type {(-1|1)[]} */ (count[-1] <= count[1] ? [-1, 1] : [1, -1]);
    sit(id, free(banks, rows, cols, taken) ?? { bank: banks[0], row: banks[0] < 0 ? rows - 1 : 0, col: cols });
  }
  return { seats, cols };
}

/** @param {(-1|1)[]} banks @param {number} rows @param {number} cols @param {Set<string>} taken @returns {Seat|undefined} */
function free(banks, rows, cols, taken) {
  for (const bank of banks) {
    for (let row = 0; row < rows; row++) {
      for (let col = 0; col < cols; col++) {
        if (!taken.has(`${bank}/${row}/${col}`)) return { bank, row, col };
      }
    }
  }
  return undefined;
}
