/** A panel beside the chat: over it where the page is narrow, and a sheet on a phone. */
import { store } from "./store.js";
import { toast } from "./toast.js";

const BESIDE = matchMedia("(min-width: 75rem)");
const SHEET = matchMedia("(max-width: 40rem)");

export class SidePanel {
  /**
   * @param {HTMLButtonElement} button
   * @param {HTMLElement} panel
   * @param {() => Promise<void>} prepare is called before the panel is shown
   */
  constructor(button, panel, prepare) {
    Object.assign(this, { button, panel, prepare });
    this.key = `${panel.id}-open`;
    button.addEventListener("click", () => (panel.hidden ? this.open() : this.close()));
    panel.querySelector("#settings-close").addEventListener("click", () => this.#leave());
    panel.addEventListener("keydown", (event) => this.#leaveOnEscape(event));
    document.addEventListener("pointerdown", ({ target }) => { if (!BESIDE.matches && !this.#holds(target)) this.close(); });
    for (const query of [BESIDE, SHEET]) query.addEventListener("change", () => this.#fit());
    keepSections(panel);
    if (BESIDE.matches && store.read(this.key)) this.open({ isFocused: false });
  }

  /** Returns false when the panel's parts could not be loaded. */
  async open({ isFocused = true } = {}) {
    const prepared = this.prepare();
    this.panel.hidden = false;
    this.#fit();
    if (isFocused) this.panel.querySelector("h2").focus();
    try {
      await prepared;
      return true;
    } catch {
      this.close();
      toast("The settings could not be loaded. Is the server still running?");
      return false;
    }
  }

  close() {
    if (this.panel.hidden) return;
    this.panel.hidden = true;
    this.#fit();
  }

  #leave() {
    this.close();
    this.button.focus();
  }

  /** The sheet of a phone covers the page, so nothing below it can be reached. */
  #fit() {
    const isOpen = !this.panel.hidden;
    this.button.setAttribute("aria-expanded", String(isOpen));
    document.querySelector(".app").inert = isOpen && SHEET.matches;
    if (BESIDE.matches) store.write(this.key, isOpen);
  }

  /** Escape also stops an answer; this one is meant for the panel. */
  #leaveOnEscape(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.#leave();
  }

  #holds(node) {
    return this.panel.contains(node) || this.button.contains(node) || Boolean(node.closest?.("#toast"));
  }
}

/** Sections stay as open or closed as they were left, in this browser. */
function keepSections(panel) {
  const sections = [...panel.querySelectorAll("details[data-section]")];
  const kept = store.read("settings-sections") ?? {};
  const states = () => Object.fromEntries(sections.map((one) => [one.dataset.section, one.open]));
  for (const section of sections) {
    const { section: name } = section.dataset;
    section.open = kept[name] ?? section.open;
    section.addEventListener("toggle", () => store.write("settings-sections", states()));
    // The toggle event comes later, perhaps too late for a reload.
    section.querySelector("summary").addEventListener("click", () => store.write("settings-sections", { ...states(), [name]: !section.open }));
  }
}
