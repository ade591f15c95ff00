// @ts-check
// What the page loads only once it is wanted, so that it is there soon.

/**
 * Turns on a style sheet that stands in the page switched off, so that its rules have their place among those of the others.
 * @param {string} name
 * @returns {Promise<void>} once it holds
 * @throws {Error} where it cannot be had; the next call tries again
 */
export const sheet = (name) => new Promise((done, failed) => {
  const link = /** @type {HTMLLinkElement} */ (document.querySelector(`link[href="/static/css/${name}.css"]`));
  if (!link.disabled && link.sheet) return done();
  link.addEventListener('load', () => done(), { once: true });
  link.addEventListener('error', () => {
    link.disabled = true;
    failed(new Error(`no style sheet ${name}`));
  }, { once: true });
  link.disabled = false;
});

/** What is imported, once its style sheets hold as well. @template M @param {Promise<M>} module @param {...string} sheets @returns {Promise<M>} */
export const styled = async (module, ...sheets) => (await Promise.all([module, ...sheets.map(sheet)]))[0];

/** A part of the page that is loaded when it is first wanted. @template T */
export class Later {
  /**
   * @param {string} name in words
   * @param {() => Promise<T>} load after a failure called again when next wanted
   * @param {import('./verbs.js').Say} say told where the part cannot be had
   */
  constructor(name, load, say) {
    this.name = name;
    this.load = load;
    this.say = say;
    /** @type {T|undefined} once it was loaded */
    this.part = undefined;
    /** @type {((part: T) => void)|undefined} */
    this.wish = undefined;
    this.loading = false;
  }

  /** Does something with the part: at once where it is there, else when it has come. Of what is wished meanwhile only the
   * last is done. @param {(part: T) => void} f */
  use(f) {
    if (this.part) return f(this.part);
    this.wish = f;
    if (!this.loading) this.begin();
  }

  async begin() {
    this.loading = true;
    try {
      this.part = await this.load();
    } catch (e) {
      this.say(`${this.name} cannot be loaded: ${e instanceof Error ? e.message : e}`, true);
      return;
    } finally {
      this.loading = false;
    }
    this.wish?.(this.part);
  }
}
