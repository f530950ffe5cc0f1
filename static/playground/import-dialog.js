/** The dialog of an import: its progress, and a report of what came and what did not. Closing it cancels nothing. */
import { element } from "./element.js";
import { count } from "./format.js";

export class ImportDialog {
  /** @param {() => void} onCancel */
  constructor(onCancel) {
    this.title = element("h2", { id: "import-title" }, "Importing chats");
    this.bar = element("progress", { max: 1, value: 0, "aria-label": "Progress of the import" });
    this.line = element("p", { className: "import-line", role: "status" });
    this.body = element("div", { className: "import-body" });
    this.buttons = element("div", { className: "edit-row" },
      element("button", { type: "button", className: "plain", onclick: onCancel }, "Cancel"),
      element("button", { type: "button", className: "plain", onclick: () => this.close() }, "Continue in the background"));
    this.root = element("dialog", { className: "help import-dialog", "aria-labelledby": "import-title" }, this.title, this.bar, this.line, this.body, this.buttons);
    this.root.addEventListener("keydown", (event) => { if (event.key === "Escape") event.stopPropagation(); }); // not for the answer
    this.isLeft = false; // it was closed while the import goes on
    this.root.addEventListener("close", () => { this.isLeft = true; this.root.remove(); });
  }

  open() {
    if (this.root.isConnected) return;
    document.body.append(this.root);
    this.root.showModal();
  }

  close() {
    if (this.root.isConnected) this.root.close();
  }

  /** @param {number} share from 0 to 1 @param {number} chats so far */
  progress(share, chats) {
    this.bar.value = share;
    this.line.textContent = chats ? `${chats === 1 ? "1 chat" : `${count(chats)} chats`} so far` : "Sending the file…";
  }

  /**
   * @param {import("./upload.js").ImportState} report
   * @param {() => void} onCopies import the duplicates too
   */
  report(report, onCopies) {
    this.title.textContent = report.is_cancelled ? "The import was cancelled" : "The import is done";
    this.bar.hidden = true;
    this.line.textContent = summary(report);
    this.body.replaceChildren(...lists(report));
    const again = element("button", { type: "button", className: "plain", onclick: () => { this.close(); onCopies(); } }, "Import again as copies");
    const close = element("button", { type: "button", className: "firm", onclick: () => this.close() }, "Close");
    this.buttons.replaceChildren(...(report.duplicate ? [again] : []), close);
    this.open();
    close.focus();
  }
}

const chats = (number) => (number === 1 ? "1 chat" : `${count(number)} chats`);
const was = (number) => (number === 1 ? "was" : "were");

/** @param {import("./upload.js").ImportState} report @returns {string} */
export function summary({ imported, duplicate, failed }) {
  const parts = [`${chats(imported)} ${was(imported)} imported.`];
  if (duplicate) parts.push(`${chats(duplicate)} ${was(duplicate)} here already.`);
  if (failed) parts.push(`${chats(failed)} could not be imported.`);
  return parts.join(" ");
}

function lists({ chats: all }) {
  const groups = [
    ["Not imported", all.filter(({ outcome }) => outcome === "failed")],
    ["Imported in part", all.filter(({ outcome, note }) => outcome === "imported" && note)],
    ["Already on this server", all.filter(({ outcome }) => outcome === "duplicate")],
    ["Imported", all.filter(({ outcome, note }) => outcome === "imported" && !note)],
  ];
  return groups.filter(([, members]) => members.length).map(([name, members], place) => element("details", { open: place === 0 },
    element("summary", {}, `${name} (${count(members.length)})`),
    element("ul", {}, ...members.map(row))));
}

function row({ title, id, note }) {
  const name = id ? element("a", { href: `/c/${id}` }, title) : element("strong", {}, title);
  return element("li", {}, name, ...(note ? [element("span", { className: "import-note" }, note)] : []));
}
