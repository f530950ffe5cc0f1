/** Long texts that fold: their height is bounded until somebody wants more. */
import { element } from "./element.js";

const seen = new ResizeObserver((entries) => { for (const { target } of entries) target.dispatchEvent(new Event("fold")); });

/**
 * Fold the part when it is too long, with a button behind it.
 * @param {HTMLElement} part @returns {HTMLButtonElement} to be put behind the part
 */
export function foldButton(part) {
  const button = element("button", { type: "button", className: "show-more", hidden: true, "aria-expanded": "false" }, "Show more");
  part.classList.add("is-foldable");
  const show = (isOpen) => {
    part.classList.toggle("is-unfolded", isOpen);
    button.setAttribute("aria-expanded", String(isOpen));
    button.textContent = isOpen ? "Show less" : "Show more";
    if (!isOpen) part.scrollTop = 0;
  };
  button.addEventListener("click", () => {
    show(button.getAttribute("aria-expanded") === "false");
    if (button.getBoundingClientRect().top < 0) part.scrollIntoView({ block: "nearest" });
  });
  part.addEventListener("fold", () => {
    const isLong = part.scrollHeight > part.clientHeight + 1;
    if (!part.classList.contains("is-unfolded")) {
      button.hidden = !isLong;
      part.classList.toggle("is-folded", isLong);
    }
  });
  seen.observe(part);
  return button;
}
