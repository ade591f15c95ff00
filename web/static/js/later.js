// @ts-check
// What the page loads only once it is wanted, so that it is there soon.

/** A style sheet. @param {string} name @returns {Promise<void>} once it holds @throws {Error} where it cannot be had */
export const sheet = (name) => new Promise((done, failed) => {
  const l = document.createElement('link');
  Object.assign(l, { rel: 'stylesheet', href: `/static/css/${name}.css`, onload: () => done(), onerror: () => failed(new Error(`no style sheet ${name}`)) });
  document.head.append(l);
});

/**
 * @template T
 * @param {() => Promise<T>} load
 * @returns {() => Promise<T>} loads at the first call, and again after one that failed
 */
export function once(load) {
  /** @type {Promise<T>|undefined} */
  let loading;
  return () => {
    loading ??= load();
    loading.catch(() => { loading = undefined; });
    return loading;
  };
}
