/** The field that the visitor writes in. */
export class Composer {
  /**
   * @param {{onSend: (text: string) => Promise<boolean>, onStop: () => void, onType: (text: string) => void,
   *   onUp: () => void}} actions
   */
  constructor({ onSend, onStop, onType, onUp }) {
    Object.assign(this, { onSend, onStop, onType, onUp });
    this.form = document.querySelector("#composer");
    this.prompt = document.querySelector("#prompt");
    this.button = document.querySelector("#send");
    this.isAnswering = false;
    this.canAnswer = true;
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#submit(); });
    this.prompt.addEventListener("input", () => this.typed());
    this.prompt.addEventListener("keydown", (event) => { this.#sendOnEnter(event); this.#editOnUp(event); });
    this.#show();
  }

  /** @param {{isAnswering: boolean, canAnswer: boolean}} state */
  setState({ isAnswering, canAnswer }) {
    Object.assign(this, { isAnswering, canAnswer });
    this.#show();
  }

  focus() {
    this.prompt.focus();
  }

  #submit() {
    if (this.isAnswering) this.onStop();
    else this.#send();
  }

  /** The content of the field has changed. */
  typed() {
    this.onType(this.prompt.value);
    this.#show();
  }

  /** A text that could not be sent is put back, unless something else was typed meanwhile. */
  async #send() {
    const text = this.prompt.value.trim();
    if (!text || !this.canAnswer) return;
    this.prompt.value = "";
    this.typed();
    if (!(await this.onSend(text)) && !this.prompt.value) this.prompt.value = text;
    this.#show();
  }

  #editOnUp(event) {
    if (event.key !== "ArrowUp" || this.prompt.value) return;
    event.preventDefault();
    this.onUp();
  }

  /** While a character is being composed (Japanese, Chinese, ...) Enter belongs to the input method. */
  #sendOnEnter(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!this.isAnswering) this.#send();
  }

  #show() {
    const label = this.isAnswering ? "Stop" : "Send";
    this.form.classList.toggle("is-answering", this.isAnswering);
    this.button.setAttribute("aria-label", label);
    this.button.title = label;
    this.button.disabled = !this.isAnswering && (!this.canAnswer || !this.prompt.value.trim());
    this.prompt.style.height = "auto";
    this.prompt.style.height = `${this.prompt.scrollHeight}px`;
  }
}
