/** Where the conversation is scrolled to: at its end, which is followed while it grows, or where the reader is. */

const NEAR_PX = 60;
const END_PX = 4;

export class ScrollPosition {
  /** @param {HTMLElement} content what grows in the scroller */
  constructor(content) {
    this.scroller = document.querySelector("#scroll");
    this.jump = document.querySelector("#jump");
    this.app = document.querySelector(".app");
    this.isFollowing = true;
    this.wasAt = 0;
    const sizes = new ResizeObserver(() => this.#stay());
    for (const one of [content, this.scroller]) sizes.observe(one);
    this.scroller.addEventListener("scroll", () => this.update(), { passive: true });
    this.jump.addEventListener("click", () => this.follow());
  }

  /** Go to the end and stay there while it grows. */
  follow() {
    this.isFollowing = true;
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
    this.jump.hidden = isNear;
    this.app.classList.toggle("is-scrolled", scrollTop > 4);
  }

  #stay() {
    if (this.isFollowing) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.update();
  }
}
