/* Renders each case of a table whole and in random pieces; returns what it became and what went wrong on the way. */
async ({ cases, seed, languages, rounds }) => {
  const { Markdown } = await import("/static/playground/markdown.js");
  const { grammarFor } = await import("/static/playground/highlight.js");
  const { fullWidthRulesFor } = await import("/static/playground/emphasis.js");
  await Promise.all([import("/static/vendor/katex/katex.js"), fullWidthRulesFor("**字**")]);
  await Promise.all(languages.map(grammarFor));

  let state = seed;
  const random = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const PLAIN = new Set(["SPAN", "THEAD", "TBODY", "DIV"]);

  /* The rendered nodes in a short notation: formulas as <m> or <M>, code as <pre lang>, without attributes but href and align. */
  function shape(node) {
    if (node.nodeType === Node.TEXT_NODE) return node.data.replace(/\s+/g, " ").replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);
    if (node.matches(".math")) {
      const name = node.matches(".is-block") ? "M" : "m";
      return `<${name}>${node.querySelector("annotation").textContent}</${name}>`;
    }
    if (node.matches(".code")) {
      const language = node.querySelector(".code-head > span").textContent;
      return `<pre ${language}>${node.querySelector("pre").textContent}</pre>`;
    }
    const inner = [...node.childNodes].map(shape).join("");
    if (PLAIN.has(node.nodeName)) return inner;
    const name = node.nodeName.toLowerCase();
    if (name === "br") return "<br>";
    const href = node.getAttribute("href")?.replace(/note-\d+/, "note") ?? "";
    const align = node.getAttribute("align") ?? "";
    const facts = [href, align].filter(Boolean).map((fact) => ` ${fact}`).join("");
    return `<${name}${facts}>${inner.trim()}</${name}>`;
  }
  const shapes = (root) => [...root.children].map(shape);
  const counted = (root) => [".math", "strong", "em", "del", ".code", "table", "h1, h2, h3"].map((kind) => root.querySelectorAll(kind).length);
  function exact(root) {
    const copy = root.cloneNode(true);
    for (const node of copy.querySelectorAll("[id], [href]")) {
      for (const name of ["id", "href"]) if (node.hasAttribute(name)) node.setAttribute(name, node.getAttribute(name).replace(/note-\d+/, "note"));
    }
    return copy;
  }

  function box() {
    const root = document.createElement("div");
    root.className = "prose";
    document.body.append(root);
    return root;
  }

  async function set(root) {
    while (root.querySelector("code.tex")) await new Promise((done) => { setTimeout(done); });
  }

  async function stream(text, resolvesLate) {
    const root = box();
    const markdown = new Markdown(root);
    const wrong = [];
    let finished = [];
    let counts = counted(root);
    for (let at = 0; at < text.length;) {
      at += 1 + random(random(3) ? 6 : 30);
      markdown.show(text.slice(0, at), false);
      await set(root);
      for (const { node, was } of finished) {
        if (!node.isConnected) wrong.push(`drawn anew: ${was}`);
        else if (!resolvesLate && shape(node) !== was) wrong.push(`changed when finished: ${was} became ${shape(node)}`);
      }
      const now = counted(root);
      if (now.some((count, kind) => count < counts[kind])) wrong.push(`fewer at ${JSON.stringify(text.slice(0, at).slice(-30))}: ${counts} became ${now}`);
      counts = now;
      finished = [...root.children].slice(0, -2).map((node) => ({ node, was: shape(node) }));
    }
    markdown.show(text, true);
    await set(root);
    for (const { node, was } of finished) if (!node.isConnected) wrong.push(`drawn anew at the end: ${was}`);
    return { root, wrong };
  }

  const results = [];
  for (const { text, resolvesLate } of cases) {
    const whole = box();
    new Markdown(whole).show(text, true);
    await set(whole);
    const problems = [];
    for (let round = 0; round < rounds; round += 1) {
      const { root, wrong } = await stream(text, resolvesLate);
      problems.push(...wrong);
      if (!exact(root).isEqualNode(exact(whole))) problems.push(`the end differs: ${shapes(root).join("")}`);
      root.remove();
    }
    results.push({ shape: shapes(whole).join(""), problems: [...new Set(problems)] });
    whole.remove();
  }
  return results;
}
