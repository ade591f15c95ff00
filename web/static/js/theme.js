// @ts-check
// Sets the stored theme before anything is painted. A classic script on purpose: a module would run after the first paint.
(() => {
  try {
    const t = localStorage.getItem('stillup-theme');
    if (t === 'dark' || t === 'light') document.documentElement.dataset.theme = t;
  } catch { /* storage is switched off: the system's theme stands */ }
})();
