/** Colours for code: the library and each grammar are fetched when an answer first needs them. */

const SAME = ["bash", "c", "cpp", "csharp", "css", "diff", "dockerfile", "go", "ini", "java", "javascript", "json",
  "kotlin", "markdown", "php", "python", "ruby", "rust", "shell", "sql", "swift", "typescript", "xml", "yaml"];
const ALSO = {
  "c++": "cpp", "c#": "csharp", console: "shell", cs: "csharp", golang: "go", h: "c", hpp: "cpp", html: "xml", js: "javascript",
  jsx: "javascript", kt: "kotlin", md: "markdown", patch: "diff", py: "python", rb: "ruby", rs: "rust", sh: "bash", svg: "xml",
  toml: "ini", ts: "typescript", tsx: "typescript", yml: "yaml", zsh: "bash",
};
const GRAMMARS = new Map([...SAME.map((name) => [name, name]), ...Object.entries(ALSO)]);
const MAX_CHARACTERS = 50_000; // beyond them code stays as it is
const escaped = (text) => text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** @type {Promise<object> | undefined} */
let coming;
let library;
const requested = new Map();

/**
 * The code as HTML, or null while its grammar is unknown or not here yet.
 * @param {string} code @param {string} language as written behind the fence
 */
export function highlighted(code, language) {
  const grammar = GRAMMARS.get(language);
  if (!library?.getLanguage(grammar)) return null;
  const end = code.length > MAX_CHARACTERS ? code.lastIndexOf("\n", MAX_CHARACTERS) : code.length;
  const { value } = library.highlight(code.slice(0, Math.max(0, end)), { language: grammar });
  return value + escaped(code.slice(Math.max(0, end)));
}

/** @returns {Promise<void> | null} settles once `highlighted` can do this language; null when it never will */
export function grammarFor(language) {
  const grammar = GRAMMARS.get(language);
  if (!grammar) return null;
  if (!requested.has(grammar)) requested.set(grammar, fetchGrammar(grammar));
  return requested.get(grammar);
}

async function fetchGrammar(grammar) {
  coming ??= import("../vendor/highlight/core.js");
  const [core, rules] = await Promise.all([coming, import(`../vendor/highlight/languages/${grammar}.js`)]);
  library = core.default;
  library.registerLanguage(grammar, rules.default);
}
