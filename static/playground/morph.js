/** Changing nodes into others with as few changes as possible: selections, scroll positions and listeners survive. */

/** Elements that keep what they hold: a button its state, a set formula its MathML. */
function isKept(old, wanted) {
  if (old.isEqualNode(wanted)) return true;
  if (old.nodeName === "BUTTON") return wanted.nodeName === "BUTTON" && old.className === wanted.className;
  return old.dataset?.tex !== undefined && old.dataset.tex === wanted.dataset?.tex;
}

function isSameKind(old, wanted) {
  if (old.nodeType !== wanted.nodeType || old.nodeName !== wanted.nodeName) return false;
  return old.nodeType !== Node.ELEMENT_NODE || (old.dataset.tex === undefined && wanted.dataset.tex === undefined);
}

/**
 * @param {Node} parent of all `old` nodes
 * @param {Node[]} old nodes that follow each other @param {Node[]} wanted what they shall be
 * @param {Node | null} next the node behind the old ones
 * @returns {Node[]} the nodes that are there now
 */
export function morph(parent, old, wanted, next) {
  const now = wanted.map((node, place) => {
    const known = old[place];
    if (!known) return parent.insertBefore(node, next);
    if (isKept(known, node)) return known;
    if (!isSameKind(known, node)) {
      parent.replaceChild(node, known);
      return node;
    }
    if (known.nodeType === Node.ELEMENT_NODE) morphElement(known, node);
    else changeText(known, node.data);
    return known;
  });
  for (const node of old.slice(wanted.length)) node.remove();
  return now;
}

function morphElement(old, wanted) {
  for (const { name } of [...old.attributes]) if (!wanted.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  morph(old, [...old.childNodes], [...wanted.childNodes], null);
}

/** Text that only grows is appended: a selection in it stays. */
function changeText(node, text) {
  if (text.startsWith(node.data)) node.appendData(text.slice(node.data.length));
  else node.data = text;
}
