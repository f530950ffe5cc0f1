/** Figures as people read them. */
const whole = new Intl.NumberFormat("en");
const LONGEST_EXCERPT = 24;
const oneDigit = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const count = (n) => whole.format(n);
export const seconds = (s) => (s < 0.95 ? `${Math.max(1, Math.round(s * 1000))} ms` : `${oneDigit.format(s)} s`);
export const rate = (n) => (n < 20 ? oneDigit.format(n) : whole.format(Math.round(n)));
export const percent = (share) => (share < 0.001 ? "under 0.1 %" : `${oneDigit.format(share * 100)} %`);

/** @param {number} n bytes */
export function size(n) {
  return n < 1e9 ? `${whole.format(Math.max(1, Math.round(n / 1e6)))} MB` : `${oneDigit.format(n / 1e9)} GB`;
}

/** @param {{is_remote?: boolean, resident_bytes: number}} model */
export const memoryOf = (model) => (model.is_remote ? "on another server" : size(model.resident_bytes));

/** @param {number} n bytes of a file, which may be a few */
export function bytes(n) {
  if (n < 1000) return `${whole.format(n)} ${n === 1 ? "byte" : "bytes"}`;
  return n < 1e6 ? `${whole.format(Math.round(n / 1000))} kB` : `${oneDigit.format(n / 1e6)} MB`;
}

/** The beginning of a text, in quotes, by which it is known again; empty for an empty one. @param {string} text */
export function excerpt(text) {
  const words = text.trim().replace(/\s+/g, " ");
  const characters = [...words];
  return words && `“${characters.length > LONGEST_EXCERPT ? `${characters.slice(0, LONGEST_EXCERPT).join("").trimEnd()}…` : words}”`;
}

/** @param {number} n tokens of context: 8192 is "8k" */
export function context(n) {
  return n < 1024 ? whole.format(n) : `${whole.format(Math.round(n / 1024))}k`;
}
