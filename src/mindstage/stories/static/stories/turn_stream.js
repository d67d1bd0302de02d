/* <turn-stream>: the log of turns, and the one connection over which a reply arrives.
   Leaving the page doesn't end a reply; coming back finds it again. */
import { elements, ask, place, refresh, sentence } from "mindstage/swap";
import { say } from "mindstage/say";
import { frames } from "mindstage/frames";
import { Reply, catchUp, draftTurn, hearWait, holdRetry, ownTurn, waitOf } from "mindstage/reply";

const LOST = "Mindstage can’t be reached, so nothing was sent. Your line is still here; play it again in a moment.";
const SEARCHING = "The connection dropped. The narrator goes on; looking for it…";
const GONE = "Mindstage can’t be reached just now, so the rest of this reply can’t be shown. What was written is kept, and your words are safe.";
const WAITS = [300, 600, 1200, 2500, 5000, 8000, 8000]; // milliseconds after each attempt to find a reply again
const ENDINGS = { finished: "The narrator has finished.", stopped: "Stopped. The words up to here are kept." };
const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
const emit = (name, detail = {}) => document.dispatchEvent(new CustomEvent(name, { detail }));

class TurnStream extends HTMLElement {
  connectedCallback() {
    this.run = null;
    document.addEventListener("stage:take", (event) => this.take(event.detail));
    document.addEventListener("stage:stop", () => this.stop());
    window.addEventListener("online", () => this.lost?.());
    if (this.dataset.run) this.pickUp(this.dataset.run, this.dataset.runTurn);
    else hearWait(this.querySelector(":scope > .turn.last[data-state=failed]"));
    refresh(`${this.dataset.story}context/`).catch(() => { /* the meter waits for the next turn */ });
  }

  /** Ask for a reply. `path` is turns or replies; `body` is what the endpoint takes. */
  async take({ path, body }) {
    if (this.busy) return;
    this.begin({ path, body });
    let response;
    try {
      response = await fetch(this.dataset.stream + path, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
        body: JSON.stringify({ ...body, segment: this.dataset.segment || null }),
      });
    } catch {
      return this.refuse(LOST);
    }
    if (!response.ok) return this.refuse(await sentence(response), response.status);
    await this.listen(response);
  }

  /** A reply was running when the page was made. */
  async pickUp(run, turn) {
    if (this.busy) return;
    this.begin({ path: "", body: {} });
    const article = document.getElementById(`t-${turn}`);
    Object.assign(this, { run, reply: { id: turn, position: Number(article?.dataset.position) }, view: article && this.viewOn(article) });
    emit("stage:begun", { resumed: true });
    await this.findAgain("");
  }

  begin(asked) {
    Object.assign(this, { busy: true, asked, run: null, reply: null, turn: null, view: null, seen: 0, tries: 0, stopping: false, lost: null });
    emit("stage:sent");
  }

  async listen(response) {
    try {
      for await (const frame of frames(response.body)) if (this.receive(frame)) return this.settle(frame.data);
    } catch { /* the connection broke: the narrator goes on without us */ }
    if (!this.run) return this.refuse(LOST);
    await this.findAgain(SEARCHING);
  }

  /** True when the reply has ended. */
  receive({ event, id, data }) {
    if (event === "begun") this.begun(data);
    if (event === "progress") this.view?.note(data.say, data.share);
    if (event === "delta") { this.view?.add(data.text); this.seen = id ?? this.seen; this.tries = 0; }
    return event === "done";
  }

  begun({ turn, reply, run, segment, from = 0 }) {
    if (this.reply?.id === reply.id && this.view) return; // said again to a second connection
    const first = (turn ?? reply).position;
    if (first > this.lastPosition + 1) catchUp(this.dataset.story, this.lastPosition);
    if (segment) this.dataset.segment = segment;
    Object.assign(this, { run, reply, turn, seen: Math.max(this.seen, from) });
    const asked = this.contains(document.activeElement); // by a tool of the last turn, which goes now
    for (const old of this.querySelectorAll(":scope > .turn.last")) {
      old.classList.remove("last");
      for (const act of old.querySelectorAll(".note .row, .note .btn, [data-act]")) act.remove(); // only the last reply can be tried again
    }
    if (turn && !document.getElementById(`t-${turn.id}`)) this.showOwn(turn);
    this.view = this.viewOn(this.articleFor(reply), this.asked.body.act === "continue");
    if (asked && !this.contains(document.activeElement)) this.view.article.focus({ preventScroll: true });
    emit("stage:begun", { resumed: false });
    if (this.stopping) this.stop();
  }

  showOwn(turn) {
    const article = ownTurn({ ...this.asked.body, position: turn.position, persona: this.dataset.persona });
    article.id = `t-${turn.id}`;
    place([article]);
    refresh(`${this.dataset.story}turns/${turn.id}/`).catch(() => { /* the words are there; its tools come with a reload */ });
  }

  articleFor(reply) {
    const there = document.getElementById(`t-${reply.id}`) ?? this.querySelector(`:scope > .turn[data-position="${reply.position}"]`);
    const article = there ?? this.appendChild(draftTurn({ position: reply.position, speaker: this.dataset.speaker }));
    article.id = `t-${reply.id}`;
    article.classList.add("last");
    return article;
  }

  viewOn(article, keep = false) {
    return new Reply(article, { keep, follow: () => this.closest("story-reader")?.followEnd?.() });
  }

  async findAgain(note) {
    let said = GONE;
    for (; this.tries < WAITS.length; this.tries += 1) {
      if (this.tries) await pause(WAITS[this.tries - 1]);
      if (note || this.tries > 1) this.view?.note(note || SEARCHING);
      const response = await fetch(`/stream/runs/${this.run}?after=${this.seen}`, { headers: { Accept: "text/event-stream" } }).catch(() => null);
      if (response?.ok) { this.tries += 1; return this.listen(response); } // tries count anew with the next word
      if (response && response.status < 500 && response.status !== 429) return this.settle({ state: "finished" });
      said = response ? await sentence(response) : GONE;
    }
    this.giveUp(said);
  }

  /** It can't be found for now: the person may write and play, or look for it again. */
  giveUp(said) {
    const [run, turn] = [this.run, this.reply.id];
    const again = this.lost = () => this.pickUp(run, turn);
    this.view?.end(said, { label: "Try again", act: again });
    say(said);
    this.finish("stage:settled", { state: "lost" });
  }

  stop() {
    this.stopping = true;
    if (this.run) fetch(`/stream/runs/${this.run}/stop`, { method: "POST", keepalive: true }).catch(() => { /* it ends by itself */ });
  }

  async settle({ state, say: said = "", retry_after: wait = 0 }) {
    this.view?.end();
    try {
      const arrived = await elements(await ask(`${this.dataset.story}turns/${this.reply.id}/`));
      // Told as ended, and still running where it is kept: its end could not be saved, and fewer words stand there than here.
      if (arrived.some((turn) => turn.id === `t-${this.reply.id}` && turn.dataset.state === "running")) return this.giveUp(said || GONE);
      place(arrived);
    } catch {
      this.view?.end(said || "The words are kept. Reload the page to see the turn as it was saved.");
    }
    say(ENDINGS[state] ?? (wait ? `${said} ${waitOf(wait)}` : said));
    holdRetry(document.getElementById(`t-${this.reply.id}`), wait);
    refresh(`${this.dataset.story}context/`).catch(() => { /* the meter waits for the next turn */ });
    this.finish("stage:settled", { state });
  }

  /** Nothing was played. When another tab's reply is what stands in the way, it is shown here too. */
  async refuse(sentence, status = 0) {
    this.finish("stage:refused", { sentence });
    if (status !== 409) return;
    await catchUp(this.dataset.story, this.lastPosition);
    const running = this.querySelector(":scope > .turn[data-state=running]");
    if (running) await this.pickUp(running.id.slice(2), running.id.slice(2));
  }

  finish(name, detail) {
    Object.assign(this, { busy: false, run: null });
    this.closest("story-reader")?.followEnd?.();
    emit(name, { ...detail, asked: this.asked });
  }

  get lastPosition() {
    const turns = this.querySelectorAll(":scope > .turn");
    return turns.length ? Number(turns[turns.length - 1].dataset.position) : -1;
  }
}

customElements.define("turn-stream", TurnStream);
