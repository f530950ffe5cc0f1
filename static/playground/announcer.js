/** Announces the state of an answer to screen readers, which read the answer itself once it is complete. */
export class Announcer {
  /** @param {import("./conversation.js").Conversation} conversation */
  constructor(conversation) {
    Object.assign(this, { conversation, root: document.querySelector("#announcer"), announced: "", isRunning: false });
    conversation.addEventListener("change", ({ detail }) => this.#change(detail));
    conversation.addEventListener("branch", () => this.#showBranch());
  }

  /** An answer that is not shown is not announced. */
  #change(message) {
    if (statusText(message) !== this.announced && this.#isShown(message)) this.#announce(message);
  }

  /** The answer that was announced may be out of sight now. */
  #showBranch() {
    const running = this.conversation.running.at(-1);
    if (running || this.isRunning) this.#announce(running);
  }

  #isShown({ id, role, parent }) {
    const { compared, messages } = this.conversation;
    return role === "assistant" && (compared.has(parent) || messages.some((shown) => shown.id === id));
  }

  /** @param {import("./conversation.js").Message} [answer] none: there is nothing to announce */
  #announce(answer) {
    const text = answer ? statusText(answer) : "";
    this.isRunning = answer?.status === "answering";
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
