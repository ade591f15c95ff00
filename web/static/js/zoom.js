// @ts-check
// The window on the map: scale, and where the map's upper left corner is, in pixels of the room. Pure.

/** @typedef {{k: number, x: number, y: number}} View */
/** @typedef {{width: number, height: number}} Size */

export const LEAST = 0.25, MOST = 4;
/** A map with room to spare is not blown up beyond this. */
const GROWN = 3;
/** So much of the map stays in sight, pixels. */
const HELD = 80;

/** All of the map. @param {Size} map @param {Size} room height 0: as high as the map needs @returns {View} */
export function fitted(map, room) {
  const k = Math.min(GROWN, room.width / map.width, room.height > 0 ? room.height / map.height : Infinity);
  return { k, x: Math.max(0, (room.width - map.width * k) / 2), y: room.height > 0 ? Math.min(30, (room.height - map.height * k) / 2) : 0 };
}

/** Zoomed by a factor, the point at px, py of the room standing still. @param {View} v @param {number} factor @param {number} px
 *  @param {number} py @param {number} least the scale at which all is seen, if that is smaller than LEAST @returns {View} */
export function zoomed(v, factor, px, py, least = LEAST) {
  const k = Math.min(MOST, Math.max(Math.min(LEAST, least), v.k * factor)), f = k / v.k;
  return { k, x: px - (px - v.x) * f, y: py - (py - v.y) * f };
}

/** Some of the map stays in sight. @param {View} v @param {Size} map @param {Size} room @returns {View} */
export function held(v, map, room) {
  const within = (/** @type {number} */ at, /** @type {number} */ long, /** @type {number} */ space) => {
    const keep = Math.min(HELD, long, space);
    return Math.min(space - keep, Math.max(keep - long, at));
  };
  return { k: v.k, x: within(v.x, map.width * v.k, room.width), y: within(v.y, map.height * v.k, room.height) };
}

/** A point of the map in the middle of the room. @param {number} k @param {number} x @param {number} y of the map @param {Size} room @returns {View} */
export const centred = (k, x, y, room) => ({ k, x: room.width / 2 - x * k, y: room.height / 2 - y * k });

/** The point of the map in the middle of the room. @param {View} v @param {Size} room */
export const centre = (v, room) => ({ x: (room.width / 2 - v.x) / v.k, y: (room.height / 2 - v.y) / v.k });
