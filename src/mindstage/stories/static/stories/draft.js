/* The line that is being written, on its way to the server: one save at a time, and the newest words win.
   Two saves under way could arrive in the wrong order and bring a played line back. */
import { sentence } from "mindstage/swap";

const QUIET = 800; // milliseconds without a key
const WAITS = [2000, 5000, 15000, 30000]; // milliseconds between attempts after a save that failed
const OUTLIVES = 20000; // characters: browsers let 64 kB outlive a page
const NOT_SAVED = "Your line could not be saved just now. Its words stay in the box as long as this tab is open, and saving is tried again by itself.";

export class Draft {
  /** `read` gives the line as {mode, text, token}, `saved` is the one that came with the page; `place` tells of trouble. */
  constructor({ url, read, saved, place }) {
    Object.assign(this, { url, read, place, told: document.getElementById("saved"), failures: 0 });
    this.usual = this.told?.textContent;
    this.saved = keyOf(saved); // what the server has; null while that isn't known
  }

  /** True while words stand in the box that could not be saved. */
  get atRisk() { return this.failures > 0 && this.read().text.trim() !== ""; }

  touched() { this.saveIn(QUIET); }

  saveIn(time) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), time);
  }

  /** Save what stands in the box now, unless it is saved, or a save is under way (whose end looks again). */
  async save({ leaving = false } = {}) {
    clearTimeout(this.timer);
    if (this.sending && !leaving) return;
    this.sending?.abort(); // no time is left to wait for it
    const line = this.read();
    const key = keyOf(line);
    if (key === this.saved) return this.succeed();
    const sending = this.sending = new AbortController();
    this.saved = null;
    const refusal = await this.post(line, { signal: sending.signal, keepalive: leaving && line.text.length < OUTLIVES });
    if (this.sending !== sending) return;
    this.sending = null;
    if (refusal) return this.fail(refusal, key);
    this.saved = key;
    this.save(); // what was written meanwhile
  }

  /** Null when it is saved, else {say, again}: a sentence, and whether trying again by itself makes sense. */
  async post({ mode, text, token }, options) {
    const body = new FormData();
    for (const [name, value] of Object.entries({ csrfmiddlewaretoken: token, mode, text })) body.set(name, value);
    const answer = await fetch(this.url, { method: "POST", body, headers: { "X-Partial": "1" }, ...options }).catch(() => null);
    if (answer?.ok) return null;
    if (!answer || answer.status >= 500 || answer.status === 429) return { say: NOT_SAVED, again: true };
    return { say: await sentence(answer), again: false };
  }

  succeed() {
    this.failures = 0;
    this.tell("");
  }

  fail({ say, again }, key) {
    if (keyOf(this.read()) !== key) return this.saveIn(QUIET); // that line is gone already
    if (again) this.saveIn(WAITS[Math.min(this.failures, WAITS.length - 1)]);
    this.failures += 1;
    this.tell(this.atRisk ? say : "");
  }

  /** Say it once, however often it fails; without a sentence all is well again. */
  tell(say) {
    if (this.told) this.told.textContent = say ? "Your line is not saved" : this.usual;
    if ((this.place.querySelector("p")?.textContent ?? "") === say) return;
    if (this.place.contains(document.activeElement)) document.getElementById("line").focus({ preventScroll: true });
    this.place.hidden = !say;
    this.place.replaceChildren(...(say ? [this.notice(say)] : []));
  }

  notice(say) {
    const notice = document.createElement("div");
    notice.className = "note note-warn note-plain";
    const words = document.createElement("p");
    words.textContent = say;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "btn btn-s", textContent: "Save it now" });
    button.addEventListener("click", async () => {
      button.textContent = "Saving…";
      await this.save();
      button.textContent = "Save it now";
    });
    notice.append(words, button);
    return notice;
  }
}

/* No words are no draft, whatever kind of line they were to be. */
const keyOf = ({ mode, text }) => (text.trim() ? `${mode} ${text}` : "");
