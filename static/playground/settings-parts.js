/** Creates the parts of the settings and connects them. Those of the panel are loaded when it is first opened. */
import { MyDefaults } from "./my-defaults.js";
import { Settings } from "./settings.js";
import { rules } from "./settings-rules.js";
import { SidePanel } from "./side-panel.js";
import { toast } from "./toast.js";

/**
 * @param {{account: string, name: string, defaults: Record<string, string> | null}} mine
 * @param {import("./models.js").Models} models
 */
export function openSettings(mine, models) {
  const root = document.querySelector("#settings-panel");
  const button = document.querySelector("#settings-button");
  const settings = new Settings(new MyDefaults(mine), rules((name) => root.querySelector(`[name=${name}]`)));
  let contents = null;
  // Whoever is quick writes before the parts are loaded.
  root.addEventListener("input", ({ target }) => { if (target.name in settings.values) settings.set(target.name, target.value); }, true);
  const load = () => {
    contents ??= import("./settings-contents.js").then(({ fillPanel }) => fillPanel({ settings, models, mine, root }));
    contents.catch(() => { contents = null; });
    return contents;
  };
  const prepare = async () => {
    const wasHidden = root.hidden;
    const { modelDefaults } = await load();
    if (wasHidden) modelDefaults.refresh();
  };
  const side = new SidePanel(button, root, prepare);
  button.addEventListener("pointerenter", load, { once: true });
  settings.addEventListener("held", async ({ detail }) => {
    if (await side.open({ isFocused: false })) (await contents).panel.showHeld(detail);
  });
  settings.addEventListener("discarded", ({ detail }) => {
    toast("The new chat has your default settings.", { name: "Keep the edited ones", act: () => settings.replace(detail) });
  });
  for (const type of ["change", "edit", "held", "allowed"]) settings.addEventListener(type, () => mark(button, settings));
  mark(button, settings);
  return settings;
}

/** Show at the button whether the chat's settings are others than the visitor's defaults. */
function mark(button, { isDefault, marks }) {
  const changed = button.querySelector(".changed");
  changed.hidden = isDefault && !marks.length;
  changed.classList.toggle("is-wrong", marks.length > 0);
  changed.firstElementChild.textContent = marks.length ? ", with a mistake" : ", changed";
}
