/** The modules that draw messages. They are most of the page's code, and an empty page does without them. */

/** @type {typeof import("./message.js").messageView | null} null until they are loaded */
export let messageView = null;
let loading = null;

/** Load them, once; a failure is tried again by the next call. @returns {Promise<void>} */
export function loadMessageParts() {
  loading ??= import("./message.js").then((parts) => { messageView = parts.messageView; });
  loading.catch(() => { loading = null; });
  return loading;
}
