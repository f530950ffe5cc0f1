// Runs before the first paint. `data-theme` is the visitor's choice, if any; `data-shade` what is shown.
(() => {
  const root = document.documentElement;
  let chosen = null;
  try { chosen = localStorage.getItem("mlxsite.theme"); } catch { /* storage is switched off */ }
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  root.dataset.shade = root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
})();
