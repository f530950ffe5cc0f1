/** The saved prompts in the settings panel: search, use, save, rename, delete. */
import { element } from "./element.js";
import { filled, hasVariables } from "./prompt-variables.js";
import { toast } from "./toast.js";

/** @typedef {import("./prompt-library.js").Prompt} Prompt */

export class PromptList {
  /**
   * @param {import("./prompt-library.js").PromptLibrary} library
   * @param {HTMLTextAreaElement} system
   */
  constructor(library, system) {
    Object.assign(this, { library, system });
    this.list = document.querySelector("#prompt-list");
    this.none = document.querySelector("#prompt-none");
    this.search = document.querySelector("#prompt-search");
    this.name = document.querySelector("#prompt-name");
    this.problem = document.querySelector("#prompt-name-problem");
    this.offer = document.querySelector("#prompt-offer");
    this.offer.querySelector("button").addEventListener("click", () => this.#attempt(() => library.takeOffered()));
    this.isBusy = false;
    this.renamed = null; // the id of the prompt that is being renamed
    document.querySelector("#prompt-save").addEventListener("submit", (event) => { event.preventDefault(); this.#save(); });
    this.name.addEventListener("input", () => this.#complain(""));
    this.search.addEventListener("input", () => this.#show());
    library.addEventListener("change", () => this.#show());
    const folder = document.querySelector(".library");
    folder.addEventListener("toggle", () => { if (folder.open) library.refresh(); });
    if (folder.open) library.refresh();
    this.#show();
  }

  #show() {
    const query = this.search.value.trim().toLowerCase();
    const found = this.library.all.filter(({ name, text }) => `${name}\n${text}`.toLowerCase().includes(query));
    this.list.replaceChildren(...found.map((prompt) => (prompt.id === this.renamed ? this.#form(prompt) : this.#row(prompt))));
    this.none.textContent = this.library.all.length ? "No prompts match." : "No prompts saved yet.";
    this.none.hidden = found.length > 0;
    this.#showOffer();
  }

  /** Prompts that were saved in this browser before the visitor signed in. */
  #showOffer() {
    const { offered } = this.library;
    this.offer.hidden = !offered;
    this.offer.firstElementChild.textContent = offered === 1 ? "One prompt is saved only in this browser." : `${offered} prompts are saved only in this browser.`;
  }

  /** @param {Prompt} prompt */
  #row(prompt) {
    const named = (act) => [act, element("span", { className: "unseen" }, ` ${prompt.name}`)];
    return element("li", { className: "library-item", data: { id: prompt.id } },
      element("button", { type: "button", className: "library-use", onclick: () => this.#use(prompt) },
        element("span", { className: "unseen" }, "Use "), element("strong", {}, prompt.name), element("span", { className: "library-text" }, ` ${prompt.text}`)),
      element("button", { type: "button", className: "quiet", onclick: () => this.#rename(prompt) }, ...named("Rename")),
      element("button", { type: "button", className: "quiet", onclick: () => this.#delete(prompt) }, ...named("Delete")));
  }

  /** @param {Prompt} prompt */
  #form(prompt) {
    const field = element("input", { type: "text", value: prompt.name, maxLength: 100, "aria-label": "New name" });
    const close = () => { this.renamed = null; this.#show(); this.#focus(this.#placeOf(prompt)); };
    const form = element("form", { className: "library-row", onsubmit: async (event) => {
      event.preventDefault();
      const name = field.value.trim();
      if (name && name !== prompt.name && !(await this.#attempt(() => this.#renameTo(prompt, name)))) return;
      close();
    } }, field, element("button", { type: "submit", className: "outline" }, "Rename"), element("button", { type: "button", className: "quiet", onclick: close }, "Cancel"));
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close();
    });
    return element("li", { className: "library-item" }, form);
  }

  #rename(prompt) {
    this.renamed = prompt.id;
    this.#show();
    this.list.querySelector("form input").select();
  }

  async #renameTo(prompt, name) {
    if (this.library.named(name)) throw new Error("You already have a prompt with this name.");
    await this.library.update(prompt, { name });
  }

  #use(prompt) {
    const before = this.system.value;
    this.#put(prompt.text);
    this.name.value = prompt.name;
    const isLost = before.trim() && before !== prompt.text && !this.library.all.some(({ text }) => text === before);
    if (isLost) toast(`The system prompt was replaced by “${prompt.name}”.`, { name: "Undo", act: () => this.#put(before) });
  }

  #put(text) {
    this.system.value = text;
    this.system.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** The list is drawn anew, and what had the focus with it. @param {number} place of the row that gets it */
  #focus(place) {
    const rows = this.list.querySelectorAll(".library-use");
    (rows[Math.min(place, rows.length - 1)] ?? this.search).focus();
  }

  #placeOf({ id }) {
    return [...this.list.children].findIndex(({ dataset }) => Number(dataset.id) === id);
  }

  async #delete(prompt) {
    const at = this.#placeOf(prompt);
    if (await this.#attempt(() => this.library.remove(prompt))) {
      this.#focus(at);
      toast(`“${prompt.name}” was deleted.`, { name: "Undo", act: () => this.#attempt(() => this.library.add(prompt.name, prompt.text)) });
    }
  }

  async #save() {
    const [name, text] = [this.name.value.trim(), this.system.value];
    if (!text.trim()) return this.#complain("Write a system prompt above first.");
    if (!name) return this.#complain("Give it a name.");
    const known = this.library.named(name);
    if (known && known.text !== text) return this.#complain("You already have a prompt with this name.", () => this.#keep(() => this.library.update(known, { text }), name));
    return known || this.#keep(() => this.library.add(name, text), name);
  }

  /** The form is emptied only once the prompt is saved. */
  async #keep(act, name) {
    if (!(await this.#attempt(act))) return;
    this.name.value = "";
    this.#complain("");
    toast(`“${name}” was saved.`);
  }

  /** @param {string} problem @param {() => void} [onReplace] */
  #complain(problem, onReplace) {
    const replace = onReplace && element("button", { type: "button", className: "quiet", onclick: onReplace }, "Replace it");
    this.problem.replaceChildren(...(problem ? [problem] : []), ...(replace ? [" ", replace] : []));
    this.name.setAttribute("aria-invalid", String(Boolean(problem)));
    if (problem) (replace ?? this.name).focus();
  }

  /** One act at a time: a second click, before the server has answered, is not another one. */
  async #attempt(act) {
    if (this.isBusy) return false;
    this.isBusy = true;
    try {
      await act();
      return true;
    } catch (error) {
      toast(error.message);
      return false;
    } finally {
      this.isBusy = false;
    }
  }
}

/** Show below the prompt what the model reads, where that differs. */
export function previewPrompt(settings, models, name) {
  const preview = document.querySelector("#prompt-preview");
  const show = () => {
    const { system } = settings.values;
    preview.hidden = !hasVariables(system);
    if (!preview.hidden) preview.querySelector(".preview-text").textContent = filled(system, { name, model: models.picked?.id ?? "" });
  };
  for (const type of ["change", "edit"]) settings.addEventListener(type, show);
  models.addEventListener("change", show);
  show();
}
