/** A button that opens a panel: closes on Escape, on a click elsewhere, and when the focus leaves. */
export class Popup {
  /** @type {Set<Popup>} those that are open, oldest first */
  static #open = new Set();

  /** @returns {boolean} whether one was open */
  static closeNewest() {
    const newest = [...Popup.#open].findLast(({ panel }) => panel.isConnected && !panel.hidden);
    newest?.close();
    newest?.button.focus();
    return Boolean(newest);
  }

  /** @param {HTMLElement} button @param {HTMLElement} panel @param {() => void} onOpen */
  constructor(button, panel, onOpen = () => {}) {
    this.button = button;
    this.panel = panel;
    this.onOpen = onOpen;
    button.addEventListener("click", () => (panel.hidden ? this.open() : this.close()));
    document.addEventListener("pointerdown", (event) => { if (!this.#holds(event.target)) this.close(); });
    for (const part of [button, panel]) {
      part.addEventListener("keydown", (event) => this.#leaveOnEscape(event));
      part.addEventListener("focusout", (event) => {
        if (event.relatedTarget && !this.#holds(event.relatedTarget)) this.close();
      });
    }
  }

  open() {
    this.panel.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    Popup.#open.add(this);
    this.onOpen();
  }

  close() {
    this.panel.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    Popup.#open.delete(this);
  }

  #holds(node) {
    return this.panel.contains(node) || this.button.contains(node);
  }

  #leaveOnEscape(event) {
    if (event.key !== "Escape" || this.panel.hidden) return;
    event.stopPropagation(); // Escape also stops an answer; this one was meant for the panel
    this.close();
    this.button.focus();
  }
}
