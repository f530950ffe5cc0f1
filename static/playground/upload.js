/** Sends a file to be imported: in parts, since a request's body is bounded, and follows its import. */
import { call } from "./api.js";

const PART = 4 * 2 ** 20;
const POLL_MS = 250;
const ADDRESS = "/chat/uploads/";

/**
 * @typedef {{outcome: "imported" | "duplicate" | "failed", title: string, id: string, note: string}} ReportedChat
 * @typedef {{state: "receiving" | "importing" | "done" | "failed", progress: number, error: string, is_cancelled: boolean,
 *   imported: number, duplicate: number, failed: number, chats: ReportedChat[]}} ImportState
 */

/**
 * @param {File} file
 * @param {{takesCopies?: boolean, onProgress: (share: number, count: number) => void, signal: AbortSignal}} options
 * @returns {Promise<ImportState>} how it ended; throws an AnswerError
 */
export async function importFile(file, { takesCopies = false, onProgress, signal }) {
  const { id } = await call("POST", ADDRESS, { size: file.size });
  const address = `${ADDRESS}${id}/`;
  const cancel = () => call("DELETE", address).catch(() => {});
  try {
    for (let offset = 0; offset < file.size; offset += PART) {
      if (signal.aborted) return await cancelled(cancel);
      await call("POST", `${address}?offset=${offset}`, file.slice(offset, offset + PART));
      onProgress((0.3 * Math.min(offset + PART, file.size)) / file.size, 0);
    }
    await call("POST", `${address}import/${takesCopies ? "?copies" : ""}`);
    return await ended(address, cancel, onProgress, signal);
  } finally {
    cancel(); // the report has been read
  }
}

async function cancelled(cancel) {
  await cancel();
  return { state: "done", progress: 0, error: "", is_cancelled: true, imported: 0, duplicate: 0, failed: 0, chats: [] };
}

async function ended(address, cancel, onProgress, signal) {
  for (let hasCancelled = false; ;) {
    const state = await call("GET", address);
    if (state.state !== "importing") return state;
    onProgress(0.3 + 0.7 * state.progress, state.imported + state.duplicate + state.failed);
    if (signal.aborted && !hasCancelled) {
      hasCancelled = true;
      await cancel();
    }
    await new Promise((done) => { setTimeout(done, POLL_MS); });
  }
}
