// Blocking on purpose: sets the theme and density before the first paint (no inline script, so the CSP stays strict).
for (const k of ['theme', 'density']) {
  const v = localStorage.getItem(k);
  if (v) document.documentElement.dataset[k] = v;
}
