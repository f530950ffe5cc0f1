/** What the events of an answer in progress change in its message. */

/** The fields of the answer that an event changes. */
export function changesBy(answer, event) {
  switch (event.type) {
    case "progress": return { waiting: { phase: event.phase, done: event.done ?? 0, total: event.total ?? 0, cached: event.cached ?? 0 } };
    case "accepted": return { waiting: { phase: "prefill", done: 0, total: 0 } };
    case "text": return { ...received(answer, event), ...thoughtTime(answer, false), content: answer.content + event.text };
    case "reasoning": return { ...received(answer, event), ...thoughtTime(answer, true), reasoning: answer.reasoning + event.text };
    case "tool_call": return { ...received(answer, event), ...thoughtTime(answer, false), calls: withPiece(answer.calls, event) };
    default: return {};
  }
}

/** The answer no longer waits; the page counts tokens as they arrive. */
function received({ heard }, { tokens }) {
  const now = performance.now();
  return { waiting: null, heard: { tokens: (heard?.tokens ?? 0) + (tokens ?? 1), since: heard?.since ?? now, now } };
}

/** Whether the answer thinks now, and the seconds it has thought up to `thoughtAt`. */
function thoughtTime({ thinking, thought_s: before = 0, thoughtAt }, isThinking) {
  const now = performance.now();
  const passed = thinking && thoughtAt ? (now - thoughtAt) / 1000 : 0;
  return { thinking: isThinking, thought_s: before + passed, thoughtAt: now };
}

/** The calls with the next piece of one of them; the first piece of a call has its id and name. */
function withPiece(calls, { call: place, id, name, text = "" }) {
  const call = calls[place] ?? { id, name, arguments: "" };
  return [...calls.slice(0, place), { ...call, arguments: call.arguments + text }, ...calls.slice(place + 1)];
}
