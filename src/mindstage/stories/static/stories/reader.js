/* <story-reader>: the page that scrolls. It never moves the line that is being read. */
import { ask, elements } from "mindstage/swap";

const NEAR = 80; // pixels from the end that count as "at the end"

class StoryReader extends HTMLElement {
  connectedCallback() {
    this.following = this.querySelectorAll(".turn").length > 1; // a story that has just begun is read from its beginning
    this.before = 0;
    this.toEnd = document.querySelector("[data-to-end]");
    this.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.toEnd?.addEventListener("click", () => { this.following = true; this.followEnd(); });
    document.addEventListener("keydown", (event) => this.pressed(event));
    document.addEventListener("stage:sent", () => { this.following = true; });
    this.seer = new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) this.older(); }, { root: this, rootMargin: "600px 0px 0px" });
    this.addEventListener("click", (event) => { if (event.target.closest(".earlier a")) { event.preventDefault(); this.older(); } });
    if (!location.hash) this.followEnd();
    this.watch();
    // Fonts and pictures settle after the first layout; the end stays the end until the reader moves.
    // So it does when what stands below it grows, as a long line does.
    const settler = new ResizeObserver(() => { if (this.following) this.followEnd(); });
    for (const one of [this.log, this]) settler.observe(one);
  }

  get log() { return this.querySelector("turn-stream"); }
  get atEnd() { return this.scrollHeight - this.scrollTop - this.clientHeight < NEAR; }

  scrolled() {
    if (this.atEnd) this.following = true;
    else if (this.scrollTop < this.before) this.following = false;
    this.before = this.scrollTop;
    if (this.toEnd) this.toEnd.hidden = this.atEnd;
  }

  followEnd() {
    if (this.following) this.moveTo(this.scrollHeight);
  }

  /* A scroll is announced a frame later, and two of one frame only once. Where the page itself moves it is noted
     here, so that a reader who moves up within that frame is seen to move up from there. */
  moveTo(top) {
    this.scrollTop = top;
    this.before = this.scrollTop;
  }

  watch() {
    const sentinel = this.querySelector(".earlier");
    if (sentinel) this.seer.observe(sentinel);
  }

  async older() {
    const sentinel = this.querySelector(".earlier");
    if (!sentinel || sentinel.ariaBusy === "true") return;
    sentinel.ariaBusy = "true";
    try {
      const arrived = await elements(await ask(sentinel.dataset.earlier));
      this.insertAbove(sentinel, arrived);
    } catch {
      sentinel.ariaBusy = "false"; // the link stays; a click tries again
    }
  }

  insertAbove(sentinel, arrived) {
    const anchor = sentinel.nextElementSibling;
    const top = anchor?.getBoundingClientRect().top ?? 0;
    this.style.overflowAnchor = "none"; // we keep the place ourselves; twice would be once too much
    sentinel.replaceWith(...arrived);
    if (anchor) this.moveTo(this.scrollTop + anchor.getBoundingClientRect().top - top);
    this.style.overflowAnchor = "";
    this.watch();
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const field = document.getElementById("line");
    const writing = event.target.matches("input:not([type=radio]), textarea, select");
    const blank = event.target === field && !field.value;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      if ((writing && !blank) || event.target.closest("[role=tab], .seg")) return;
      return this.turnPage(event, blank || !field?.value);
    }
    if (writing) return;
    if (event.key === "/") { event.preventDefault(); field?.focus(); }
    if (event.key === "?") document.getElementById("keys")?.showModal();
    if (event.key === "j" || event.key === "k") this.step(event.key === "j" ? 1 : -1);
  }

  /* Versions of the last turn; right past the end draws a new one, but only when no line is waiting. */
  turnPage(event, mayDraw) {
    const last = this.querySelector(".turn.last");
    const swap = last?.querySelectorAll(".swap button") ?? [];
    const button = event.key === "ArrowLeft" ? swap[0] : swap[1];
    if (button && !button.disabled) { event.preventDefault(); return button.click(); }
    if (event.key === "ArrowRight" && mayDraw) { event.preventDefault(); last?.querySelector("[data-act=regenerate], [data-act=retry]")?.click(); }
  }

  step(by) {
    const turns = [...this.querySelectorAll(".turn")];
    const at = turns.indexOf(document.activeElement.closest?.(".turn"));
    const next = turns[at < 0 ? turns.length - 1 : at + by];
    next?.focus();
  }
}

customElements.define("story-reader", StoryReader);
