// @ts-check
// Loads the page again where its modules did not all come: a browser gives up what it is loading when the machine's networks
// change, as they do whenever a container starts. Not a module itself, so that it is there before them.
(() => {
  const most = 5, key = 'stillup-again';
  /** @type {(n: number) => void} */
  const remember = (n) => {
    try {
      sessionStorage.setItem(key, String(n));
    } catch { /* storage is switched off: then it is not tried again */ }
  };
  /** How often in a row it was tried. */
  const tried = () => {
    try {
      return Number(sessionStorage.getItem(key));
    } catch {
      return most;
    }
  };
  document.addEventListener('error', (e) => {
    const n = tried();
    if (!(e.target instanceof HTMLScriptElement) || e.target.type !== 'module' || n >= most) return;
    remember(n + 1);
    setTimeout(() => location.reload(), 300 * (n + 1));
  }, true);
  document.addEventListener('load', (e) => {
    if (e.target instanceof HTMLScriptElement && e.target.type === 'module') remember(0);
  }, true);
})();
