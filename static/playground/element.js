/** DOM elements from plain data: children are nodes or text, never markup. */

const SPRITE = new URL("../icons/sprite.svg", import.meta.url).pathname;

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [facts] properties; `data` sets data-*, names with a dash are attributes
 * @param {...(Node | string)} children
 */
export function element(tag, facts = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(facts)) {
    if (name === "data") Object.assign(made.dataset, value);
    else if (name === "role" || name.includes("-")) made.setAttribute(name, String(value));
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

/** @returns {HTMLElement} the dot at a chat that answers, with a word for screen readers */
export function answeringDot() {
  return element("span", { className: "row-dot", title: "Answering" }, element("span", { className: "unseen" }, " Answering"));
}

/**
 * Give a parent these children, and leave alone those that are in place: they keep focus, scroll and animation.
 * @param {Element} parent
 * @param {Element[]} wanted
 */
export function place(parent, wanted) {
  const kept = new Set(wanted);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  let next = parent.firstElementChild;
  for (const child of wanted) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
}

/** @param {string} name a symbol of icons/sprite.svg */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${SPRITE}#${name}`);
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}
