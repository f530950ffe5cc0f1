/** Setting formulas: by KaTeX as MathML, which needs no styles, in short pieces of time, so that many of them stop nothing. */

const SLICE_MS = 12;
const MOST_KEPT = 1000;
const LONG = 60; // characters of TeX

/** @type {Map<string, HTMLElement>} formulas that were set, by mode and TeX */
const kept = new Map();
/** @type {HTMLElement[]} */
let waiting = [];
let isComing = false;
const CHEMISTRY = /\\(?:ce|pu)\{/; // \ce and \pu are an extension of KaTeX's, fetched when a formula first has one
/** @type {Promise<void> | undefined} */
let chemistry;
let hasChemistry = false;
let timer = null;

/** The formula as it is written in Markdown. */
const texOf = (text, isDisplay) => (isDisplay ? `$$${text}$$` : `$${text}$`);

/** Name the formulas below `root` by their TeX, by which they are known again. @param {ParentNode} root */
export function nameFormulas(root) {
  for (const code of root.querySelectorAll("code.tex")) code.dataset.tex = texOf(code.textContent, code.classList.contains("is-display"));
}

/** Set every formula below `root`; one that KaTeX cannot read stays the text it is. @param {ParentNode} root */
export function setFormulas(root) {
  const codes = [...root.querySelectorAll("code.tex")];
  if (!codes.length) return;
  waiting.push(...codes);
  if (self.katex) work();
  else if (!isComing) begin();
}

function begin() {
  isComing = true;
  import("../vendor/katex/katex.js").then(work, () => { isComing = false; });
}

function work() {
  clearTimeout(timer);
  timer = null;
  const end = performance.now() + SLICE_MS;
  const codes = waiting;
  let done = 0;
  while (done < codes.length && performance.now() < end) set(codes[done++]);
  waiting = codes.slice(done);
  if (waiting.length) timer = setTimeout(work);
}

/** Every formula that still waits, now: before the page is printed. */
export function setAllFormulas() {
  if (self.katex) for (const code of waiting.splice(0)) set(code);
}

function set(code) {
  if (!code.parentNode) return;
  if (!hasChemistry && CHEMISTRY.test(code.textContent)) {
    chemistry ??= import("../vendor/katex/contrib/mhchem.js").then(() => {}, () => {}).then(() => { hasChemistry = true; });
    chemistry.then(() => set(code));
    return;
  }
  const isDisplay = code.classList.contains("is-display");
  const key = `${isDisplay}${code.textContent}`;
  const known = kept.get(key)?.cloneNode(true) ?? made(code.textContent, isDisplay);
  if (!known) {
    code.className = "tex-wrong";
    code.textContent = code.title;
    code.removeAttribute("title");
    return;
  }
  if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value);
  kept.set(key, known.cloneNode(true));
  code.replaceWith(known);
}

function made(text, displayMode) {
  const box = document.createElement("span");
  if (!render(text, box, displayMode) && !(displayMode && render(`\\begin{aligned}${text}\\end{aligned}`, box, true))) return null;
  spaceFunctions(box);
  box.className = `math${displayMode ? " is-block" : ""}${text.length > LONG ? " is-long" : ""}`;
  if (text.length > LONG) {
    box.tabIndex = 0; // it may scroll sideways, so the keyboard has to reach it
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Formula");
  }
  box.title = text;
  box.dir = "ltr";
  box.dataset.tex = texOf(text, displayMode);
  return box;
}

/** KaTeX leaves the thin spaces around the name of a function, as in `2 sin x`, to the browser, which has none. */
function spaceFunctions(box) {
  for (const applied of box.querySelectorAll("mo")) {
    if (applied.textContent !== "\u2061") continue;
    const raised = applied.nextElementSibling ? null : applied.closest("msup, msub, msubsup"); // as in `sin^2 x`
    const name = raised ?? applied.previousElementSibling;
    const before = name?.previousElementSibling;
    const after = (raised ?? applied).nextElementSibling;
    if (before && before.localName !== "mo") name.before(thinSpace());
    if (after && after.localName !== "mo") after.before(thinSpace());
  }
}

function thinSpace() {
  const space = document.createElementNS("http://www.w3.org/1998/Math/MathML", "mspace");
  space.setAttribute("width", "0.1667em");
  return space;
}

function render(text, box, displayMode) {
  try {
    // Never trusted: no links, no pictures, no classes of the model's own; and nothing endless.
    self.katex.render(text, box, { output: "mathml", displayMode, trust: false, maxExpand: 500, maxSize: 20, strict: "ignore" });
    return true;
  } catch {
    return false;
  }
}
