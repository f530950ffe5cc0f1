/** Copying a selection with formulas in it: as plain text they are the TeX that they were set from. */
import { element } from "./element.js";

const formulaOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement)?.closest("[data-tex]");

/** Formulas that are selected in part are copied whole. @param {Range} range */
function whole(range) {
  const copy = range.cloneRange();
  const [first, last] = [formulaOf(range.startContainer), formulaOf(range.endContainer)];
  if (first) copy.setStartBefore(first);
  if (last) copy.setEndAfter(last);
  return copy;
}

/** The text of nodes as the page shows it: with its lines and without what is not selectable. */
function plainText(nodes) {
  const box = element("div", { className: "unseen-copy" }, nodes);
  document.body.append(box);
  const text = box.innerText;
  box.remove();
  return text;
}

function copyWithTeX(event) {
  const selection = document.getSelection();
  if (!selection?.rangeCount || selection.isCollapsed || !event.clipboardData) return;
  const nodes = whole(selection.getRangeAt(0)).cloneContents();
  const formulas = nodes.querySelectorAll("[data-tex]");
  if (!formulas.length) return;
  const html = element("div", {}, nodes.cloneNode(true)).innerHTML;
  for (const part of nodes.querySelectorAll(".code-head, .foot, .by")) part.remove();
  for (const formula of formulas) formula.replaceWith(formula.dataset.tex);
  event.clipboardData.setData("text/html", html);
  event.clipboardData.setData("text/plain", plainText(nodes));
  event.preventDefault();
}

export const copyFormulasAsTeX = () => document.addEventListener("copy", copyWithTeX);
