/** Announces the state of an answer to screen readers, which read the answer itself once it is complete. */
export class Announcer {
  /** @param {import("./conversation.js").Conversation} conversation */
  constructor(conversation) {
    this.root = document.querySelector("#announcer");
    this.announced = "";
    conversation.addEventListener("change", ({ detail }) => this.#announce(statusText(detail)));
  }

  #announce(text) {
    if (text === this.announced) return;
    this.announced = text;
    this.root.textContent = text;
  }
}

function statusText({ status, waiting, model, content, reasoning, thinking: isThinking }) {
  switch (status === "answering" && !content && !reasoning ? "waiting" : status) {
    case "waiting": return { queued: "Waiting in the queue.", loading: `Loading ${model}.`, prefill: "Processing the prompt." }[waiting?.phase] ?? "Sending.";
    case "answering": return waiting?.phase === "paused" ? "Paused until there is memory." : isThinking ? "Thinking." : "Generating.";
    case "done": return "Answer complete.";
    case "stopped": return "Stopped.";
    default: return "";
  }
}
