/** What a model's self-test found, in a few words and as an explanation. */

/** By what a finding is about: what works less, and whether that is a fault; other models just lack it. */
const LIMITS = {
  tools: { words: "without tools", isFault: false, why: "It answers questions as usual. Tools, functions that a model may call, are not offered to it." },
  roles: { words: "without a system prompt", isFault: false, why: "A chat with a system prompt fails with this model." },
  batch: { words: "one answer at a time", isFault: false, why: "Several questions at once are answered one after another." },
  prefixes: { words: "without a cache on disk", isFault: false, why: "After a restart, long chats are read again from their beginning." },
  kv_cache: { words: "with a whole KV cache", isFault: false, why: "Long chats take more memory than they would with a quantised cache." },
  stops: { words: "answers may not end", isFault: true, why: "Set a maximum length, or press Stop." },
  chat: { words: "long chats may fail", isFault: true, why: "Start a new chat when an answer fails." },
  tokenizer: { words: "some characters are lost", isFault: true, why: "Text with unusual signs may come out changed." },
};
const BROKEN = { chat: "Cannot chat", tokenizer: "Changes text" }; // where the self-test is red
const PROMPTED = "the system message describes them"; // in the text of such a finding
const WITH_PROMPTED = { words: "without tools of its own", isFault: false, why: "It answers questions as usual. Tools, functions that a model may call, are described to it in words, and it calls them less reliably than models that were made for it." };

/**
 * @param {import("./models.js").Model} model
 * @returns {{words: string, tone: "" | "grey" | "amber" | "red", texts: string[]}} no words if nothing was found
 */
export function selfTest({ light, findings = [] }) {
  const about = new Map(findings.map((finding) => [finding.about, finding]));
  const texts = [...about.values()].flatMap((finding) => [finding.text, limitOf(finding).why]).filter(Boolean);
  const broken = findings.find((finding) => finding.light === "red" && BROKEN[finding.about]);
  if (broken) return { words: BROKEN[broken.about], tone: "red", texts };
  if (!about.size) return light === "amber" || light === "red" ? { words: "Works, with limits", tone: "grey", texts } : { words: "", tone: "", texts };
  const limits = [...about.values()].map(limitOf);
  return { words: `Works, ${limits.map(({ words }) => words).join(", ")}`, tone: limits.some(({ isFault }) => isFault) ? "amber" : "grey", texts };
}

function limitOf({ about, light, text }) {
  if (about === "tools" && light === "amber" && text.includes(PROMPTED)) return WITH_PROMPTED;
  return LIMITS[about] ?? { words: "with limits", isFault: false, why: "" };
}
