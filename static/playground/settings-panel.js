/** The panel beside the chat: fields for the settings, their mistakes, and what the model does with empty ones. */
import { element } from "./element.js";
import { defaultText, lengthText, limitText } from "./model-defaults.js";
import { NumberField } from "./number-field.js";
import { limitsOf } from "./settings-rules.js";
import { mendedNumber } from "./settings-checks.js";
import { NAMES, NUMBERS } from "./settings-request.js";
import { toast } from "./toast.js";

const MARK_AFTER_MS = 400; // whoever is typing has not finished yet

export class SettingsPanel {
  /**
   * @param {import("./settings.js").Settings} settings
   * @param {import("./model-defaults.js").ModelDefaults} modelDefaults
   * @param {HTMLElement} root
   */
  constructor(settings, modelDefaults, root) {
    Object.assign(this, { settings, modelDefaults, root });
    this.fields = new Map(NAMES.map((name) => [name, this.root.querySelector(`[name=${name}]`)]));
    this.numbers = NUMBERS.map((name) => new NumberField(this.fields.get(name), () => this.#edit(name)));
    this.state = this.root.querySelector("#settings-state");
    for (const name of NAMES) this.fields.get(name).addEventListener("input", () => this.#edit(name));
    this.#listenToButtons();
    for (const type of ["change", "edit"]) settings.addEventListener(type, () => this.#showState());
    settings.addEventListener("change", () => this.#show());
    settings.addEventListener("allowed", () => this.#showProblems({ isComplete: true }));
    modelDefaults.addEventListener("change", () => this.#showModel());
    this.#show();
    this.#showState();
    this.#showModel();
  }

  /** @param {string} name @param {string} text a value that is not typed */
  put(name, text) {
    const field = this.fields.get(name);
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #listenToButtons() {
    const { settings } = this;
    const onClick = (id, act) => this.root.querySelector(id).addEventListener("click", act);
    onClick("#settings-reset", () => this.#replace({}, "All settings use the model's defaults."));
    onClick("#defaults-load", () => this.#replace(settings.defaults.values, "Your defaults were restored for this chat."));
    onClick("#defaults-save", () => this.#saveDefaults());
  }

  #replace(values, note) {
    const before = { ...this.settings.values };
    this.settings.replace(values);
    toast(note, { name: "Undo", act: () => this.settings.replace(before) });
  }

  async #saveDefaults() {
    if (this.settings.hold()) return;
    try {
      await this.settings.defaults.save(this.settings.values);
      this.#showState("Saved: new chats begin with these settings.");
    } catch (error) {
      toast(`Your defaults were not saved. ${error.message}`);
    }
  }

  #edit(name) {
    this.settings.set(name, this.fields.get(name).value);
    if (name === "schema" || name === "format") this.#showFormat();
    this.#showProblems();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#showProblems({ isComplete: true }), MARK_AFTER_MS);
  }

  #show() {
    for (const [name, field] of this.fields) if (field.value !== this.settings.values[name]) field.value = this.settings.values[name];
    for (const number of this.numbers) number.show();
    this.#showFormat();
    this.#showProblems({ isComplete: true });
    this.root.dispatchEvent(new Event("shown"));
  }

  #showFormat() {
    const format = this.settings.values.format || "text";
    this.fields.get("format").value = format;
    for (const part of this.root.querySelectorAll("[data-format]")) {
      part.hidden = part.dataset.format !== format && !(format === "text" && part.dataset.format === "schema");
    }
  }

  /** Mark what is wrong; while somebody types, only remove marks. */
  #showProblems({ isComplete = false } = {}) {
    const mistakes = new Map(this.settings.marks.map(({ name, problem }) => [name, problem]));
    for (const [name, field] of this.fields) {
      const problem = mistakes.get(name) ?? "";
      if (!problem || isComplete) this.#mark(field, problem);
    }
    this.root.querySelectorAll(".section").forEach((section) => {
      section.classList.toggle("has-mistake", Boolean(section.querySelector("[aria-invalid=true]")));
    });
  }

  #mark(field, problem) {
    const line = this.root.querySelector(`#${field.id}-problem`);
    if (!line || line.dataset.problem === problem) return;
    line.dataset.problem = problem;
    field.setAttribute("aria-invalid", String(Boolean(problem)));
    const mended = problem && NUMBERS.includes(field.name) ? mendedNumber(field.value, limitsOf(field).whole) : "";
    const button = mended && element("button", { type: "button", className: "quiet", onclick: () => { this.put(field.name, mended); field.focus(); } }, `Use ${mended}`);
    line.replaceChildren(...(problem ? [problem] : []), ...(button ? [" ", button] : []));
  }

  /** A question was held or refused: say so, and lead to the first mistake. The panel is open. */
  showHeld({ mistakes, outcome }) {
    const [{ name, problem }] = mistakes;
    const field = this.fields.get(name);
    for (let place = field.closest("details"); place; place = place.parentElement.closest("details")) place.open = true;
    this.#showProblems({ isComplete: true });
    field.focus();
    field.scrollIntoView({ block: "center" });
    toast(`${outcome} ${nameOf(field)}: ${problem}${mistakes.length > 1 ? ` ${mistakes.length - 1} more below.` : ""}`);
  }

  #showState(note = "") {
    const { isDefault } = this.settings;
    this.state.textContent = note || (isDefault ? "These are your defaults." : "Changed from your defaults.");
  }

  #showModel() {
    const { current } = this.modelDefaults;
    for (const number of this.numbers) {
      const found = current?.defaults[number.name];
      number.setDefault(found?.value, number.name === "max_tokens" ? lengthText(found) : defaultText(found));
    }
    this.root.querySelector("#set-max-tokens-help").textContent = limitText(current?.defaults.max_tokens);
    this.#offerEfforts(current?.reasoning.efforts ?? []);
    this.#note("#reasoning-note", current ? reasoningText(current) : "");
    this.#note("#tools-note", current && !current.has_template ? `${current.model} has no chat template, so it cannot use tools.` : "");
  }

  /** Only the levels that the model knows; all where it has none of its own. @param {string[]} known */
  #offerEfforts(known) {
    for (const option of this.fields.get("effort").options) {
      option.hidden = known.length > 0 && !["", "none", ...known].includes(option.value) && !option.selected;
    }
  }

  #note(id, text) {
    const note = this.root.querySelector(id);
    note.textContent = text;
    note.hidden = !text;
  }
}

const nameOf = (field) => field.getAttribute("aria-label") ?? field.labels[0].firstChild.textContent.trim();

/** @param {import("./model-defaults.js").ModelSettings} current */
function reasoningText({ model, reasoning }) {
  if (!reasoning.can_reason) return `${model} does not reason, so these settings have no effect.`;
  const levels = reasoning.efforts.length
    ? `It supports the effort levels ${reasoning.efforts.join(", ")}.`
    : "It has no effort levels; “Effort” limits the length of its reasoning.";
  return `${model} reasons. ${levels}${reasoning.has_switch ? "" : " It cannot switch reasoning off; “off” ends it immediately."}`;
}
