/** The light or dark theme: the system's, until the visitor chooses the other one. */
import { store } from "./store.js";

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

/** @param {HTMLButtonElement} button switches between light and dark */
export function followTheme(button) {
  const show = () => { root.dataset.shade = root.dataset.theme ?? systemShade(); };
  system.addEventListener("change", show);
  button.addEventListener("click", () => {
    choose(root.dataset.shade === "dark" ? "light" : "dark");
    show();
  });
}

const systemShade = () => (system.matches ? "dark" : "light");

/** Choosing what the system has anyway means following the system again. */
function choose(shade) {
  if (shade === systemShade()) {
    delete root.dataset.theme;
    store.removeText("theme");
    return;
  }
  root.dataset.theme = shade;
  store.writeText("theme", shade);
}
