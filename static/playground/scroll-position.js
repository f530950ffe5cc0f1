/** Where the conversation is scrolled to: at its end, which is followed while it grows, or where the reader is. */

const NEAR_PX = 60;
const END_PX = 4;
const ANCHORS = CSS.supports("overflow-anchor", "auto"); // else, as in Safari, what grows above pushes the reader away

export class ScrollPosition {
  /** @param {HTMLElement} content what grows in the scroller */
  constructor(content) {
    this.scroller = document.querySelector("#scroll");
    this.jump = document.querySelector("#jump");
    this.app = document.querySelector(".app");
    this.isFollowing = true;
    this.wasAt = 0;
    this.anchor = {};
    const sizes = new ResizeObserver(() => this.settle());
    for (const one of [content, this.scroller]) sizes.observe(one);
    this.scroller.addEventListener("scroll", () => this.update(), { passive: true });
    this.jump.addEventListener("click", () => this.follow());
  }

  /** Go to the end and stay there while it grows. */
  follow() {
    this.isFollowing = true;
    this.#stay();
  }

  /** The content has changed: stay at the end, or where the reader is. */
  settle() {
    this.#anchor();
    this.#stay();
  }

  /** Stay where the reader is. */
  release() {
    this.isFollowing = false;
  }

  /** A reader who scrolls up stays where they are; one who comes back to the end follows again. */
  update() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const toEnd = scrollHeight - scrollTop - clientHeight;
    const isNear = toEnd < NEAR_PX;
    if (scrollTop < this.wasAt) this.isFollowing = toEnd <= END_PX;
    else if (scrollTop > this.wasAt && isNear) this.isFollowing = true;
    this.wasAt = scrollTop;
    this.#note();
    this.jump.hidden = isNear;
    this.app.classList.toggle("is-scrolled", scrollTop > 4);
  }

  #stay() {
    if (this.isFollowing) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.update();
  }

  /** In a browser that does not, keep the line that is read in its place while what is above it grows. */
  #anchor() {
    if (ANCHORS || this.isFollowing || this.scroller.scrollTop !== this.wasAt) return; // the last: it is scrolling
    const { line, top } = this.anchor;
    if (line?.isConnected) this.scroller.scrollTop += line.getBoundingClientRect().top - top;
  }

  #note() {
    if (ANCHORS) return;
    const line = this.#lineOnScreen();
    this.anchor = { line, top: line?.getBoundingClientRect().top };
  }

  #lineOnScreen() {
    const { left, top, width, height } = this.scroller.getBoundingClientRect();
    const at = (share) => document.elementFromPoint(left + width / 2, top + height * share)?.closest(".prose > *, .message");
    return at(0.5) ?? at(0.4) ?? at(0.6); // between two messages there is none
  }
}
