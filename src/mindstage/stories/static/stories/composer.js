/* <turn-composer>: the person's line. It is never lost: drafts save themselves, and a refusal keeps the words. */
import { Draft } from "mindstage/draft";

const HINTS = {
  do: "What do you do?",
  say: "What do you say?",
  story: "What happens next? Write it as the narrator would.",
  ooc: "Speak to the narrator as yourself. The story does not hear this.",
};
const SHORT = { ...HINTS, story: "What happens next?", ooc: "To the narrator, as yourself." };
const NARROW = matchMedia("(max-width: 26rem)"); // there a long hint takes two lines, and moves the story
const EMPTY = "Write a line first. To let the narrator go on without you, press Continue or use the story menu.";
const BUSY = "The narrator is still writing. Your line is kept; play it when the reply has ended, or stop it first.";
const OFFLINE = "You’re offline. You can keep reading and writing; your line waits here. Press Play when you’re back.";

class TurnComposer extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.field = this.querySelector("textarea");
    this.note = this.querySelector(".composer-note");
    this.draft = new Draft({
      url: this.dataset.draft,
      read: () => this.line(),
      saved: { mode: this.form.dataset.mode, text: this.field.defaultValue },
      place: this.querySelector(".draft-note"),
    });
    this.acts = new AbortController();
    const on = (target, name, deed) => target.addEventListener(name, deed, { signal: this.acts.signal });
    on(this.form, "submit", (event) => { event.preventDefault(); this.play(); });
    on(this.field, "input", () => this.typed());
    on(this.field, "keydown", (event) => this.pressed(event));
    on(this.form, "change", (event) => { if (event.target.name === "mode") { this.hint(); this.draft.touched(); } });
    // The second click of a double click on Play falls on the button that has just taken its place.
    on(this.querySelector("[data-stop]"), "click", (event) => { if (event.detail < 2) this.tell("stage:stop"); });
    on(document, "click", (event) => this.clicked(event));
    on(document, "keydown", (event) => { if (event.key === "Escape" && this.streaming && !event.defaultPrevented && !document.querySelector("dialog[open]")) this.tell("stage:stop"); });
    on(document, "stage:sent", () => this.state("sending"));
    on(document, "stage:begun", (event) => this.taken(event.detail));
    on(document, "stage:refused", (event) => { this.state("rest"); this.say(event.detail.sentence); });
    on(document, "stage:settled", () => { this.state("rest"); this.say(""); });
    on(window, "offline", () => this.say(OFFLINE));
    on(window, "online", () => { this.say(""); this.draft.save(); });
    on(window, "pagehide", () => this.draft.save({ leaving: true }));
    on(window, "beforeunload", (event) => { if (this.draft.atRisk) event.preventDefault(); }); // the browser asks first
    // A page made while a reply runs: the stream has begun before this element could hear it.
    this.state(document.querySelector("turn-stream")?.busy ? "streaming" : "rest");
    this.hint();
  }

  disconnectedCallback() { this.acts.abort(); }

  get mode() { return this.form.elements.mode.value; }
  get streaming() { return this.dataset.now !== "rest"; }

  play() {
    const text = this.field.value.trim();
    if (this.streaming) return text && this.dataset.now === "streaming" && this.say(BUSY);
    if (!text) return this.say(EMPTY);
    this.ask("turns", { mode: this.mode, text });
  }

  /** An act on the reply: continue, regenerate, retry, go_on. */
  act(act, turn = null) {
    if (!this.streaming) this.ask("replies", { act, turn });
  }

  ask(path, body) {
    if (!navigator.onLine) return this.say(OFFLINE);
    this.say("");
    // The same line sent again after a lost answer is the same turn: the id stays until the line is taken or changed.
    const key = JSON.stringify([path, body]);
    if (this.pending?.key !== key) this.pending = { key, id: crypto.randomUUID() };
    this.tell("stage:take", { path, body: { ...body, client_turn_id: this.pending.id } });
  }

  taken({ resumed }) {
    const sent = this.pending ? JSON.parse(this.pending.key) : null;
    if (!resumed && sent?.[0] === "turns" && this.field.value.trim() === sent[1].text) {
      this.field.value = "";
      this.draft.save();
    }
    this.pending = null;
    this.grow();
    this.state("streaming");
  }

  state(now) {
    const hadFocus = Boolean(document.activeElement?.closest("turn-composer [data-rest], turn-composer [data-stop]"));
    this.dataset.now = now;
    for (const button of this.querySelectorAll("[data-rest]")) button.hidden = now !== "rest";
    this.querySelector("[data-stop]").hidden = now === "rest";
    if (hadFocus) this.field.focus({ preventScroll: true }); // its button has just gone
  }

  say(sentence) {
    this.note.hidden = !sentence;
    this.note.textContent = "";
    if (!sentence) return;
    const words = document.createElement("p");
    words.className = "note note-warn note-plain";
    words.setAttribute("role", "alert");
    words.textContent = sentence;
    this.note.append(words);
  }

  typed() {
    this.grow();
    if (navigator.onLine) this.say("");
    this.draft.touched();
  }

  line() {
    return { mode: this.mode, text: this.field.value, token: this.form.elements.csrfmiddlewaretoken?.value ?? "" };
  }

  pressed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if ((event.ctrlKey || event.metaKey) && !this.field.value.trim()) return document.querySelector(".turn.last :is([data-act=regenerate], [data-act=retry])")?.click();
    this.play();
  }

  clicked(event) {
    const button = event.target.closest("[data-act]");
    if (!button) return;
    event.preventDefault(); // without this script the button is one of a form
    this.act(button.dataset.act, button.closest(".turn")?.id.slice(2) ?? null);
  }

  hint() {
    this.form.dataset.mode = this.mode;
    this.field.placeholder = (NARROW.matches ? SHORT : HINTS)[this.mode];
  }

  grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight, innerHeight * 0.4)}px`;
  }

  tell(name, detail = {}) { document.dispatchEvent(new CustomEvent(name, { detail })); }
}

customElements.define("turn-composer", TurnComposer);
