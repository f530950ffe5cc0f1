/** A websocket that only receives, and comes back after a lost connection until the server refuses it for good. */
import { refusal } from "./refusal.js";

const RETRY_MS = [500, 1000, 2000, 5000, 10_000];

/**
 * @param {string} address the path, perhaps with a query
 * @param {{onMessage: (message: object) => void, onLost?: (reason: string, code: number) => void}} acts
 *   `reason` says why the server refuses it, and is empty where the connection was only lost
 */
export function listen(address, { onMessage, onLost }) {
  let failures = 0;
  const connect = () => {
    const url = new URL(address, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    socket.addEventListener("message", ({ data }) => {
      failures = 0;
      onMessage(JSON.parse(data));
    });
    socket.addEventListener("close", ({ code }) => {
      const reason = refusal(code);
      onLost?.(reason, code);
      if (reason) return;
      setTimeout(connect, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
      failures += 1;
    });
  };
  connect();
}
