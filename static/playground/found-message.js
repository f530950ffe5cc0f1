/** Goes to a message that was found: shows its branch, scrolls to it, and marks what was searched for. */

const MARK = "search-hit";
const SHOWN_MS = 2500;
const MAX_FRAMES = 30;
const REST_FRAMES = 4;

/**
 * @param {import("./conversation.js").Conversation} conversation
 * @param {import("./thread.js").Thread} thread
 * @param {number} id of the message
 * @param {{showBranch: (tip: number) => Promise<void>, query: string, found: string[]}} how `query` is what was searched for, and
 *   `found` how the server, which knows more forms of a letter, has found that written
 */
export async function goToMessage(conversation, thread, id, { showBranch, query, found }) {
  const message = conversation.known.get(id);
  if (!message) return;
  if (!conversation.messages.includes(message)) await showBranch(conversation.newestTip(message));
  const root = thread.reveal(id);
  if (!root) return;
  const ranges = rangesOf(root, [...termsOf(query), ...found]);
  for (const { startContainer } of ranges.slice(0, 1)) openDetails(startContainer.parentElement, root);
  mark(ranges);
  root.classList.add("is-found");
  setTimeout(() => root.classList.remove("is-found"), SHOWN_MS);
  root.tabIndex = -1;
  root.focus({ preventScroll: true });
  await holdInView(ranges[0]?.startContainer.parentElement ?? root);
}

/** What is around the message is drawn as it comes near, which moves the message: bring it back until it rests. */
async function holdInView(target) {
  for (let frames = 0, rests = 0; frames < MAX_FRAMES && rests < REST_FRAMES; frames += 1) {
    target.scrollIntoView({ block: "center" });
    const before = target.getBoundingClientRect().top;
    await new Promise((next) => { requestAnimationFrame(next); });
    rests = Math.abs(target.getBoundingClientRect().top - before) < 1 ? rests + 1 : 0;
  }
}

/** Marks without a change of the page, which a message that is drawn anew would lose. */
function mark(ranges) {
  if (!globalThis.Highlight) return;
  CSS.highlights.set(MARK, new Highlight(...ranges));
}

function openDetails(node, root) {
  for (let part = node; part && part !== root; part = part.parentElement) if (part.localName === "details") part.open = true;
}

const termsOf = (query) => [...query.matchAll(/(?<!\S)"([^"]*\S[^"]*)"(?!\S)|(\S+)/g)].map(([, phrase, term]) => phrase ?? term);

/** Where the texts are in the prose of a message, each in one piece of it. */
function rangesOf(root, texts) {
  const terms = new Set(texts.map(bare).filter(Boolean));
  const ranges = [];
  for (const prose of root.querySelectorAll(".prose")) {
    const walker = document.createTreeWalker(prose, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) for (const term of terms) addRanges(ranges, walker.currentNode, term);
  }
  return ranges;
}

function addRanges(ranges, node, term) {
  const { text, places } = withPlaces(node.data);
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + term.length)) {
    const range = new Range();
    range.setStart(node, places[at]);
    range.setEnd(node, places[at + term.length]);
    ranges.push(range);
  }
}

/** The text without case and accents, and where each of its characters is in the original. */
function withPlaces(original) {
  let text = "";
  const places = [];
  for (let at = 0; at < original.length; ) {
    const character = String.fromCodePoint(original.codePointAt(at));
    const folded = bare(character);
    for (let unit = 0; unit < folded.length; unit += 1) places.push(at);
    text += folded;
    at += character.length;
  }
  return { text, places: [...places, original.length] };
}

function bare(text) {
  return text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").normalize("NFKC").toLowerCase();
}
