// @ts-check
// Sets the stored theme and size of type before anything is painted. A classic script on purpose, behind the style sheets: a
// module would run after the first paint.
(() => {
  try {
    const root = document.documentElement, t = localStorage.getItem('stillup-theme');
    if (t === 'dark' || t === 'light') root.dataset.theme = t;
    if (localStorage.getItem('stillup-big') !== 'on') return;
    root.dataset.big = 'on';
    const sheet = /** @type {HTMLLinkElement} */ (document.querySelector('link[href="/static/css/big.css"]'));
    sheet.onerror = () => { sheet.disabled = true; }; // big.js tries again, and says so
    sheet.disabled = false;
  } catch { /* storage is switched off: the system's theme stands */ }
})();
