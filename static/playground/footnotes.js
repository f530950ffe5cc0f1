/** Footnotes: `[^label]` in the text, `[^label]: …` anywhere, and a list of them below the text. */
import { element } from "./element.js";

const DEFINITION = /^ {0,3}\[\^([^\]\s]{1,100})\]:[ \t]*([^\n]*(?:\n(?:[ \t]*\n)*(?: {2,}|\t)[^\n]+)*)(?:\n|$)/;
const REFERENCE = /^\[\^([^\]\s]{1,100})\](?![(:]|\[(?!\^))/;
let instances = 0;

const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** For marked: definitions show nothing where they stand, and references are resolved once all definitions are known. */
export const footnoteExtensions = [
  {
    name: "footnote",
    level: "block",
    childTokens: ["tokens"],
    start: (text) => text.match(/\n(?= {0,3}\[\^[^\]\s]+\]:)/)?.index + 1 || undefined,
    tokenizer(text) {
      const found = DEFINITION.exec(text);
      if (!found) return undefined;
      const { top } = this.lexer.state;
      this.lexer.state.top = true;
      const tokens = this.lexer.blockTokens(found[2].replace(/\n(?: {1,4}|\t)/g, "\n"), []);
      this.lexer.state.top = top;
      return { type: "footnote", raw: found[0], label: found[1], tokens };
    },
    renderer: () => "",
  },
  {
    name: "footnoteReference",
    level: "inline",
    start: (text) => text.match(/\[\^/)?.index,
    tokenizer(text) {
      const found = REFERENCE.exec(text);
      return found ? { type: "footnoteReference", raw: found[0], label: found[1] } : undefined;
    },
    renderer: ({ label }) => `<sup class="note">${escaped(label)}</sup>`,
  },
];

/** The numbers of the footnotes of one text, and the list of those that it refers to. */
export class Footnotes {
  constructor() {
    this.prefix = `note-${(instances += 1)}`;
    /** @type {Map<string, object>} label to token, of definitions */
    this.definitions = new Map();
    /** @type {Map<string, number>} label to number, in the order of the references */
    this.numbers = new Map();
  }

  /** @param {{notes: object[], references: string[]}[]} blocks */
  collect(blocks) {
    this.definitions = new Map(blocks.flatMap(({ notes }) => notes.map((note) => [note.label, note])).reverse());
    const labels = new Set(blocks.flatMap(({ references }) => references).filter((label) => this.definitions.has(label)));
    this.numbers = new Map([...labels].map((label, place) => [label, place + 1]));
  }

  /** The references below `root` become links; those to nothing are the text they were. */
  resolve(root) {
    for (const note of root.querySelectorAll("sup.note")) {
      const number = this.numbers.get(note.textContent);
      if (number) note.replaceChildren(this.#link(`-${number}`, String(number), `Footnote ${number}`, `-from-${number}`));
      else note.replaceWith(`[^${note.textContent}]`);
    }
  }

  /** @returns {object[]} the definitions that the text refers to, in the order of their numbers */
  get listed() {
    return [...this.numbers.keys()].map((label) => this.definitions.get(label));
  }

  /** @param {DocumentFragment[]} notes the rendered definitions of `listed` @returns {HTMLElement} the list */
  list(notes) {
    const items = notes.map((note, place) => {
      const item = element("li", { id: `${this.prefix}-${place + 1}`, tabIndex: -1 }, note);
      item.dir = "auto";
      (item.querySelector(":scope > p:last-child") ?? item).append(" ", this.#link(`-from-${place + 1}`, "↩", `Back to reference ${place + 1}`));
      return item;
    });
    return element("section", { className: "footnotes", "aria-label": "Footnotes" }, element("ol", {}, ...items));
  }

  /** Go where a link of a footnote leads, without a change of the page's address. */
  follow(event) {
    const target = event.target.closest?.("a.note-link")?.hash.slice(1);
    if (!target) return;
    event.preventDefault();
    const place = document.getElementById(target);
    place?.scrollIntoView({ block: "nearest" });
    place?.focus({ preventScroll: true });
  }

  #link(to, text, label, id) {
    const link = element("a", { className: "note-link", "aria-label": label }, text);
    link.setAttribute("href", `#${this.prefix}${to}`);
    if (id) link.id = this.prefix + id;
    return link;
  }
}
