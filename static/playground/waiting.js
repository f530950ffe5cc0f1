/** A line at the top of the page while the server takes long to answer for what somebody did. */

const SHOWN_AFTER_MS = 400;

const line = document.querySelector("#waiting");
let count = 0;
let timer = null;

function show() {
  if (count && !timer) timer = setTimeout(() => { if (line) line.hidden = false; }, SHOWN_AFTER_MS);
  if (count) return;
  clearTimeout(timer);
  timer = null;
  if (line) line.hidden = true;
}

export const waiting = {
  /** @returns {() => void} to be called once the server has answered */
  begin() {
    count += 1;
    show();
    return () => { count -= 1; show(); };
  },
};
