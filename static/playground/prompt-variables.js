/** The variables of a system prompt, as the server fills them in: playground/prompt_variables.py. */

const VARIABLE = /\{\{\s*([A-Za-z_]{1,40})\s*\}\}/g;
const two = (n) => String(n).padStart(2, "0");

export const hasVariables = (text) => new RegExp(VARIABLE).test(text);

/** @param {string} text @param {{name: string, model: string}} known @returns {string} unknown variables stay as they are */
export function filled(text, { name, model }, now = new Date()) {
  const values = new Map(Object.entries({
    date: `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`,
    time: `${two(now.getHours())}:${two(now.getMinutes())}`,
    name,
    model,
  }));
  return text.replace(VARIABLE, (whole, variable) => values.get(variable.toLowerCase()) || whole);
}
