/** Which settings have mistakes. The limits are attributes of the fields, which the server takes from the API's schema. */
import { choicesProblem, grammarProblem, numberProblem, regexProblem, schemaProblem, stopProblem, toolsProblem } from "./settings-checks.js";
import { NUMBERS } from "./settings-request.js";

const LONGEST_SYSTEM = 200_000;
const FORMATS = {
  schema: ["schema", schemaProblem],
  choice: ["choices", choicesProblem],
  regex: ["regex", regexProblem],
  grammar: ["grammar", (text) => grammarProblem(text)],
};

/** @param {HTMLInputElement} field @returns {import("./settings-checks.js").Limits} */
export function limitsOf({ dataset }) {
  const number = (text) => (text === undefined ? undefined : Number(text));
  return { whole: "whole" in dataset, least: number(dataset.least), most: Number(dataset.most), above: number(dataset.above) };
}

/**
 * @param {(name: string) => HTMLInputElement} field
 * @returns {(values: Record<string, string>) => {name: string, problem: string}[]} finds the mistakes, in the order of the page
 */
export function rules(field) {
  const stop = { most: Number(field("stop").dataset.most), longest: Number(field("stop").dataset.longest) };
  const mostTools = Number(field("tools").dataset.most);
  return (values) => {
    const [form, formProblem] = FORMATS[values.format] ?? [];
    const found = [
      ["system", values.system.length > LONGEST_SYSTEM ? `It has at most ${LONGEST_SYSTEM.toLocaleString("en")} characters.` : ""],
      ...NUMBERS.map((name) => [name, numberProblem(values[name], limitsOf(field(name)))]),
      ...(form ? [[form, formProblem(values[form])]] : []),
      ["stop", stopProblem(values.stop, stop)],
      ["tools", toolsProblem(values.tools, mostTools) || missingTools(values)],
    ];
    return found.filter(([, problem]) => problem).map(([name, problem]) => ({ name, problem }));
  };
}

function missingTools({ tools, tool_choice }) {
  return tool_choice === "required" && !tools.trim() ? "There is no function to call. Enter one under “Functions the model may call”." : "";
}
