/** The keys that do something wherever the focus is; the help sheet lists them. */

/** @param {{onSearch(): void, onNew(): void, onSidebar(): void, onStop(): void}} acts */
export function listenToKeys(acts) {
  const help = document.querySelector("#help");
  document.querySelector("#help-button").addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", (event) => {
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    const act = command ? withCommand(key, event.shiftKey, acts) : plain(event, acts, help);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function withCommand(key, isShifted, { onSearch, onNew, onSidebar }) {
  if (key === "k") return onSearch;
  if (key === "b") return onSidebar;
  return key === "o" && isShifted ? onNew : null;
}

function plain(event, { onStop }, help) {
  if (event.key === "Escape" && !help.open) return onStop;
  const isTyping = event.target.closest("input, textarea, select");
  return event.key === "?" && !isTyping ? () => help.showModal() : null;
}
