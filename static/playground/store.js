/** This browser's memory. Storage may be full or switched off: then the page forgets, and works. */
export const PREFIX = "mlxsite.";

function attempt(action) {
  try { return action(); } catch { return null; }
}

export const store = {
  /** @returns {unknown} what was written under `name`, or null */
  read: (name) => attempt(() => JSON.parse(localStorage.getItem(PREFIX + name))),
  write: (name, value) => attempt(() => localStorage.setItem(PREFIX + name, JSON.stringify(value))),
  writeText: (name, text) => attempt(() => localStorage.setItem(PREFIX + name, text)),
  removeText: (name) => attempt(() => localStorage.removeItem(PREFIX + name)),
};
