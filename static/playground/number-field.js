/** A number's text field with its slider and its reset; empty means what the model does by itself. */
import { limitsOf } from "./settings-rules.js";

export class NumberField {
  /** @param {HTMLInputElement} field @param {() => void} onChange after a change that was not typed */
  constructor(field, onChange) {
    Object.assign(this, { field, onChange, name: field.name });
    const setting = field.closest(".setting");
    this.slider = setting.querySelector(".slider");
    this.reset = setting.querySelector(".reset");
    this.step = Number(field.dataset.step);
    this.limits = limitsOf(field);
    this.own = Number.parseFloat(field.dataset.empty); // NaN where only the model knows it
    field.addEventListener("input", () => this.show());
    field.addEventListener("keydown", (event) => this.#stepOnArrow(event));
    this.slider?.addEventListener("input", () => this.#set(this.slider.value));
    this.reset.addEventListener("click", () => { this.#set(""); field.focus(); });
    this.show();
  }

  /** @param {number | undefined} value of an empty field @param {string} text that says so */
  setDefault(value, text) {
    if (value !== undefined) this.own = value;
    this.field.placeholder = text || this.field.dataset.empty;
    this.reset.querySelector(".reset-to").textContent = value === undefined || !this.slider ? "" : ` to ${value}`;
    this.show();
  }

  show() {
    const text = this.field.value.trim();
    const value = text ? Number(text) : this.own;
    this.reset.hidden = !text;
    this.field.classList.toggle("is-set", Boolean(text));
    for (const [name, limit] of [["min", this.limits.least], ["max", this.limits.most], ["now", value]]) this.#say(name, limit);
    if (!this.slider) return;
    this.slider.classList.toggle("is-default", !text);
    if (!Number.isNaN(value)) this.slider.value = value;
  }

  #say(name, value) {
    if (value === undefined || Number.isNaN(value)) this.field.removeAttribute(`aria-value${name}`);
    else this.field.setAttribute(`aria-value${name}`, value);
  }

  #stepOnArrow(event) {
    const sign = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!sign) return;
    event.preventDefault();
    const text = this.field.value.trim();
    const from = text ? Number(text) : this.own;
    const { least = this.limits.above, most } = this.limits;
    if (Number.isNaN(from)) return text || this.#set(String(Math.max(least, 0)));
    const next = Math.min(most, Math.max(least, from + sign * this.step));
    this.#set(String(Number(next.toFixed(6))));
  }

  #set(text) {
    this.field.value = text;
    this.show();
    this.onChange();
  }
}
