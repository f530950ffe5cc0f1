/** Brings the settings panel to life: its fields, the model's defaults, and the saved prompts. */
import { ModelDefaults } from "./model-defaults.js";
import { PromptLibrary } from "./prompt-library.js";
import { PromptList, previewPrompt } from "./prompt-list.js";
import { SettingsPanel } from "./settings-panel.js";

/**
 * @param {{settings: import("./settings.js").Settings, models: import("./models.js").Models,
 *   mine: {account: string, name: string}, root: HTMLElement}} parts
 */
export function fillPanel({ settings, models, mine, root }) {
  const modelDefaults = new ModelDefaults(models);
  const panel = new SettingsPanel(settings, modelDefaults, root);
  new PromptList(new PromptLibrary(mine.account), root.querySelector("#set-system"));
  previewPrompt(settings, models, mine.name);
  for (const control of root.querySelectorAll(":disabled")) control.disabled = false; // they did nothing until now
  return { panel, modelDefaults };
}
