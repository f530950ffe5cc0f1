/** Tells screen readers what sighted visitors see happen; the answer itself is read once it is whole. */
export class Announcer {
  /** @param {import("./conversation.js").Conversation} conversation */
  constructor(conversation) {
    this.root = document.querySelector("#announcer");
    this.told = "";
    conversation.addEventListener("change", ({ detail }) => this.#tell(words(detail)));
  }

  #tell(text) {
    if (text === this.told) return;
    this.told = text;
    this.root.textContent = text;
  }
}

function words({ status, waiting, model, content, reasoning }) {
  switch (status === "answering" && !content && !reasoning ? "waiting" : status) {
    case "waiting": return { queued: "Waiting for a free place.", loading: `Loading ${model}.`, prefill: "Reading your prompt." }[waiting?.phase] ?? "Asking.";
    case "answering": return "Answering.";
    case "done": return "Answer complete.";
    case "stopped": return "Stopped.";
    default: return "";
  }
}
