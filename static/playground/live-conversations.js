/** What the server pushes about the visitor's conversations: which of them answer, new titles, and that the list has changed. */
import { refusal } from "./refusal.js";

const RETRY_MS = [500, 1000, 2000, 5000, 10_000];

/** @param {(event: {type: string}) => void} receive called for each event, and after a lost connection is back */
export function listenToConversations(receive) {
  let failures = 0;
  let wasOpen = false;
  const connect = () => {
    const url = new URL("/ws/conversations/", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    socket.addEventListener("message", ({ data }) => receive(JSON.parse(data)));
    socket.addEventListener("open", () => {
      if (wasOpen) receive({ type: "conversations" });
      wasOpen = true;
      failures = 0;
    });
    socket.addEventListener("close", ({ code }) => {
      if (refusal(code)) return;
      setTimeout(connect, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
      failures += 1;
    });
  };
  connect();
}
