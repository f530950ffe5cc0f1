/** Markdown that grows: only blocks that have changed are rendered again, also at the end. */
import { colourLate, frameCode } from "./code-block.js";
import { setDirections } from "./direction.js";
import { element } from "./element.js";
import { fullWidthRulesFor } from "./emphasis.js";
import { Footnotes } from "./footnotes.js";
import { copyFormulasAsTeX } from "./formula-copy.js";
import { nameFormulas, setFormulas } from "./formulas.js";
import { blocksOf, htmlOf } from "./markdown-parser.js";
import { morph } from "./morph.js";
import { prepareForPrinting } from "./printing.js";
import { fragment } from "./sanitise.js";
import { settled } from "./unfinished.js";

/** @typedef {import("./markdown-parser.js").Block & {html: string, nodes: Node[]}} Shown */

copyFormulasAsTeX();
prepareForPrinting();

export class Markdown {
  /** @param {HTMLElement} root is filled with the rendered text */
  constructor(root) {
    this.root = root;
    this.text = "";
    /** @type {Shown[]} */
    this.blocks = [];
    this.footnotes = new Footnotes();
    /** @type {HTMLElement | null} the list of footnotes */
    this.notes = null;
    this.notesKey = "";
    root.addEventListener("click", (event) => this.footnotes.follow(event));
  }

  /**
   * Show `text`. Blocks that are already right keep their nodes, and the one that grows is changed in place.
   * @param {string} text @param {boolean} isFinal whether it will not grow any more
   */
  show(text, isFinal) {
    const whole = text.replace(/\r\n?/g, "\n");
    const shown = isFinal ? whole : settled(whole);
    if (shown === this.text && !isFinal) return;
    const first = shown.startsWith(this.text) ? this.#firstUnsettled() : 0;
    const known = this.blocks.slice(0, first);
    const offset = this.blocks[first]?.start ?? 0;
    const links = Object.assign({}, ...known.map((block) => block.links).reverse());
    const blocks = blocksOf(shown.slice(offset), links, !isFinal).map((block) => ({ ...block, start: block.start + offset }));
    const all = Object.assign({}, ...blocks.map((block) => block.links).reverse(), links);
    this.text = shown;
    // A failure leaves the text as it is: signs that are seen, and nothing lost.
    fullWidthRulesFor(shown)?.then(() => this.#readAll(isFinal), () => {});
    this.#put([...known.map((block) => readAgain(block, links, all)), ...blocks]);
  }

  /** Read the text again by rules that have come since. */
  #readAll(isFinal) {
    const { text } = this;
    const blocks = blocksOf(text, {}, !isFinal);
    if (this.root.isConnected) this.#put(blocks);
  }

  /** The last block but one that can be read without those before it: what follows may still change it. */
  #firstUnsettled() {
    for (let place = this.blocks.length - 2; place > 0; place -= 1) if (this.blocks[place].isFree) return place;
    return 0;
  }

  #put(blocks) {
    this.footnotes.collect(blocks);
    const numbers = [...this.footnotes.numbers].join();
    const old = this.blocks;
    let hasChanged = false;
    this.blocks = blocks.map((block, place) => {
      const html = block.html ?? htmlOf([block.token]).trim();
      const key = block.references.length ? `${html}\n${numbers}` : html;
      if (old[place]?.key === key) return { ...block, html, key, nodes: old[place].nodes };
      hasChanged = true;
      const next = old.slice(place + 1).find(({ nodes }) => nodes.length)?.nodes[0] ?? this.notes;
      return { ...block, html, key, nodes: morph(this.root, old[place]?.nodes ?? [], [...this.#render(html).childNodes], next) };
    });
    for (const block of old.slice(blocks.length)) for (const node of block.nodes) node.remove();
    hasChanged = this.#putNotes() || hasChanged;
    if (!hasChanged) return;
    setFormulas(this.root);
    colourLate(this.root);
  }

  #putNotes() {
    const html = this.footnotes.listed.map(({ tokens }) => htmlOf(tokens).trim());
    const key = html.join("\n");
    if (key === this.notesKey) return false;
    this.notesKey = key;
    const list = html.length ? [this.footnotes.list(html.map((note) => this.#render(note)))] : [];
    [this.notes = null] = morph(this.root, this.notes ? [this.notes] : [], list, null);
    return true;
  }

  #render(html) {
    const made = fragment(html);
    for (const table of made.querySelectorAll("table")) {
      const wide = element("div", { className: "wide", tabIndex: 0, role: "region", "aria-label": "Table" });
      table.replaceWith(wide);
      wide.append(table);
    }
    for (const tick of made.querySelectorAll("span.tick")) showTick(tick);
    nameFormulas(made);
    frameCode(made);
    this.footnotes.resolve(made);
    setDirections(made);
    return made;
  }
}

/** A block again, if a definition that it may refer to has come since. */
function readAgain(block, before, now) {
  const isNew = Object.keys(now).some((label) => now[label]?.href !== before[label]?.href && block.raw.includes("["));
  if (!isNew || block.token.type === "code") return block;
  const [again] = blocksOf(block.raw, now, false);
  return { ...block, token: again?.token ?? block.token, html: undefined };
}

function showTick(tick) {
  const isDone = tick.textContent === "☑";
  tick.setAttribute("role", "checkbox");
  tick.setAttribute("aria-checked", String(isDone));
  tick.setAttribute("aria-disabled", "true");
  tick.setAttribute("aria-label", isDone ? "Done" : "Not done");
  tick.closest("li")?.classList.add("task");
}
