/** The files of a question that was sent: pictures, and texts that are folded, to open, copy and download. */
import { copy } from "./clipboard.js";
import { element, icon } from "./element.js";
import { bytes } from "./format.js";
import { addressOf, isPicture, thumbnail } from "./pictures.js";

/** @param {import("./conversation.js").Message} message @returns {HTMLElement[]} */
export function filesView({ id, attachments = [] }) {
  if (!attachments.length) return [];
  const pictures = attachments.filter(isPicture).map((one) => ({ ...one, address: addressOf(id, one.id) }));
  const small = pictures.length ? [element("div", { className: "pictures" }, ...pictures.map((_, place) => thumbnail(pictures, place)))] : [];
  const texts = attachments.filter((one) => !isPicture(one)).map((file) => fileView(addressOf(id, file.id), file));
  return [element("div", { className: "files", role: "group", "aria-label": "Attached files" }, ...small, ...texts)];
}

function copyText(text, name) {
  const button = element("button", { type: "button", className: "mini copy", "aria-label": `Copy ${name}` }, "Copy");
  button.addEventListener("click", async () => {
    await copy(text());
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1600);
  });
  return button;
}

/** The text is loaded when the file is opened for the first time. */
function fileView(address, { name, size }) {
  let text = "";
  const body = element("pre", { className: "file-text", tabIndex: 0, "aria-label": `Text of ${name}` }, "Loading…");
  const tools = element("div", { className: "file-tools" }, copyText(() => text, name),
    element("a", { className: "mini", href: address, target: "_blank", rel: "noopener" }, "Open"),
    element("a", { className: "mini", href: `${address}?download`, download: "" }, "Download"));
  const root = element("details", { className: "file" },
    element("summary", { title: name }, icon("file"), element("span", { className: "chip-name" }, name), element("span", { className: "chip-facts" }, bytes(size)), icon("chevron")), tools, body);
  root.addEventListener("toggle", async () => {
    if (!root.open || text) return;
    try {
      const response = await fetch(address);
      if (!response.ok) throw new Error(String(response.status));
      text = await response.text();
      body.textContent = text;
    } catch {
      body.textContent = "The text could not be loaded. Close the file and open it again.";
    }
  });
  return root;
}
