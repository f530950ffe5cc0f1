/** The menu of a row: one for the whole page, which moves to the button that opens it. */
import { element } from "./element.js";

const panel = element("div", { className: "panel menu", role: "menu", "aria-label": "Actions", hidden: true });
let opener = null;

/**
 * Have a button open a menu below its parent.
 * @param {HTMLButtonElement} button
 * @param {() => HTMLElement[]} items made by `menuItem`, or links with the role "menuitem"
 */
export function opensMenu(button, items) {
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => (opener === button ? close() : open(button, items())));
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || opener === button) return;
    event.preventDefault();
    open(button, items());
  });
}

/** The focus goes back to the menu's button, from where a dialog takes it and brings it back. @param {string} text @param {() => void} act */
export function menuItem(text, act) {
  const onclick = () => {
    const button = opener;
    close();
    button?.focus();
    act();
  };
  return element("button", { type: "button", role: "menuitem", onclick }, text);
}

function open(button, items) {
  close();
  opener = button;
  button.setAttribute("aria-expanded", "true");
  panel.replaceChildren(...items);
  button.parentElement.append(panel);
  panel.hidden = false;
  panel.classList.toggle("is-above", panel.getBoundingClientRect().bottom > innerHeight);
  panel.firstElementChild.focus();
}

function close() {
  if (!opener) return;
  opener.setAttribute("aria-expanded", "false");
  opener = null;
  panel.hidden = true;
}

function move(event) {
  const items = [...panel.children];
  const place = items.indexOf(document.activeElement);
  const next = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: items.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  items.at(next % items.length).focus();
}

panel.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const button = opener;
    event.stopPropagation(); // Escape also stops an answer; this one was meant for the menu
    close();
    button?.focus();
  } else move(event);
});
panel.addEventListener("focusout", ({ relatedTarget }) => {
  if (relatedTarget && !panel.contains(relatedTarget) && relatedTarget !== opener) close();
});
document.addEventListener("pointerdown", ({ target }) => {
  if (!panel.contains(target) && !opener?.contains(target)) close();
});
