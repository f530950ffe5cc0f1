/** The search field above the list, and the keys that lead through the list. */

const SEARCH_AFTER_MS = 200;

export class SearchField {
  /**
   * @param {import("./library.js").Library} library
   * @param {HTMLElement} list whose links the arrow keys go through
   */
  constructor(library, list) {
    this.library = library;
    this.list = list;
    this.field = document.querySelector("#search");
    this.status = document.querySelector("#search-status");
    this.field.addEventListener("input", (event) => { if (!event.isComposing) this.#searchSoon(); });
    this.field.addEventListener("compositionend", () => this.#searchSoon());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("keydown", (event) => this.#keyInList(event));
    library.addEventListener("change", () => this.#announce());
  }

  focus() {
    this.field.focus();
    this.field.select();
  }

  #searchSoon() {
    clearTimeout(this.timer);
    if (!this.field.value.trim()) this.#search();
    else this.timer = setTimeout(() => this.#search(), SEARCH_AFTER_MS);
  }

  async #search() {
    clearTimeout(this.timer);
    if (this.field.value === this.searched) return;
    this.searched = this.field.value;
    await this.library.search(this.searched);
  }

  #key(event) {
    if (event.key === "Escape") {
      event.stopPropagation(); // it also stops an answer
      event.preventDefault();
      this.#clear();
    } else if (event.key === "ArrowDown") this.#go(event, this.#links()[0]);
    else if (event.key === "Enter") this.#openFirst(event);
  }

  #clear() {
    this.field.value = "";
    this.#search();
  }

  /** Enter opens the first result, once the results are those of the field. */
  async #openFirst(event) {
    event.preventDefault();
    if (!this.field.value.trim()) return;
    await this.#search();
    if (this.library.shownQuery === this.field.value) this.#links()[0]?.click();
  }

  #keyInList(event) {
    if (!event.target.matches(".row-link, .hit, .folder-fold")) return;
    const links = this.#links();
    const place = links.indexOf(event.target);
    if (event.key === "ArrowDown") this.#go(event, links[place + 1]);
    else if (event.key === "ArrowUp") this.#go(event, links[place - 1] ?? this.field);
    else if (event.key === "Escape" && this.field.value) {
      event.stopPropagation();
      this.focus();
    }
  }

  #links() {
    return [...this.list.querySelectorAll(".row-link, .hit, .folder-fold")].filter((link) => link.checkVisibility());
  }

  #go(event, link) {
    event.preventDefault();
    link?.focus();
  }

  #announce() {
    const { shownQuery, all, hasMore } = this.library;
    const count = all.length === 1 ? "1 chat found" : `${all.length}${hasMore ? " or more" : ""} chats found`;
    const text = shownQuery ? (all.length ? count : "No results") : "";
    if (this.status.textContent !== text) this.status.textContent = text;
  }
}
