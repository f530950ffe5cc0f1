/** A picture in the whole window, with the others of its message: arrow keys go through them, Escape closes. */
import { element, icon } from "./element.js";
import { bytes } from "./format.js";
import { pixels } from "./pictures.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

/** @param {(import("./pictures.js").Picture & {address: string})[]} pictures @param {number} place of the first that is shown */
export function showPictures(pictures, place) {
  let at = place;
  const image = element("img", { alt: "" });
  const caption = element("p", { role: "status" });
  const download = element("a", { className: "tool", download: "", title: "Download", "aria-label": "Download" }, icon("down"));
  const close = element("button", { type: "button", className: "tool", title: "Close", "aria-label": "Close", autofocus: true }, icon("close"));
  const step = (name, by) => element("button", { type: "button", className: `tool lightbox-${by < 0 ? "before" : "next"}`, title: name, "aria-label": name, hidden: pictures.length < 2, onclick: () => show(at + by) }, icon("chevron"));
  const dialog = element("dialog", { className: "lightbox", "aria-label": "Picture" },
    element("div", { className: "lightbox-bar" }, caption, download, close), element("div", { className: "lightbox-view" }, step("Picture before", -1), image, step("Next picture", 1)));

  /** @param {number} to beyond either end it goes round */
  function show(to) {
    at = (to + pictures.length) % pictures.length;
    const { name, address, size } = pictures[at];
    Object.assign(image, { src: address, alt: name });
    download.href = `${address}?download`;
    const number = pictures.length > 1 ? `${at + 1} of ${pictures.length} · ` : "";
    caption.textContent = `${number}${name} · ${pixels(pictures[at])} · ${bytes(size)}`;
  }

  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation(); // Escape is meant for the dialog alone
    if (STEPS[event.key] && pictures.length > 1) show(at + STEPS[event.key]);
  });
  dialog.addEventListener("click", ({ target }) => { if (target === dialog || target.className === "lightbox-view") dialog.close(); });
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  show(at);
  document.body.append(dialog);
  dialog.showModal();
}
