// @ts-check
// Sets the stored theme and size of type before anything is painted. A classic script on purpose: a module would run after
// the first paint.
(() => {
  try {
    const root = document.documentElement, t = localStorage.getItem('stillup-theme');
    if (t === 'dark' || t === 'light') root.dataset.theme = t;
    if (localStorage.getItem('stillup-big') === 'on') root.dataset.big = 'on';
  } catch { /* storage is switched off: the system's theme stands */ }
})();
