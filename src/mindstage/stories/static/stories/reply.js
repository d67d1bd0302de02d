/* A reply while it is being written: plain text, painted in calm steps, never letter by letter.
   And the wait after one that a busy narrator put off. */
import { frames } from "mindstage/frames";
import { say } from "mindstage/say";
import { ask, elements, place } from "mindstage/swap";

const PAINT_EVERY = 80; // milliseconds
const ALL_WORDS = 999999999; // "nothing of the text is missing here"

/** A turn made on this side until the server's own partial takes its place. */
export function draftTurn({ position, classes = "", speaker = "", text = "" }) {
  const article = document.createElement("article");
  article.className = `turn ${classes}`.trim();
  article.dataset.position = position;
  article.tabIndex = -1;
  article.setAttribute("aria-label", `Turn ${position}`);
  if (speaker) article.append(made("div", "who", speaker));
  const prose = made("div", "prose");
  for (const paragraph of text ? text.split(/\n{2,}/) : []) prose.append(made("p", "", paragraph));
  article.append(prose);
  return article;
}

/** The person's line, as the server is going to show it. */
export function ownTurn({ mode, text, position, persona }) {
  const classes = { do: "mine act", ooc: "aside" }[mode] ?? "mine";
  const speaker = mode === "ooc" ? "You, out of character" : mode === "story" ? "" : persona;
  const shown = mode === "say" && !/^["“«„‘']/.test(text) ? `“${text}”` : text;
  return draftTurn({ position, classes, speaker, text: shown });
}

/** Another tab or device has played on: fetch and place what lies after position `after`. */
export async function catchUp(story, after) {
  try {
    const arrived = await elements(await ask(`${story}turns/?after=${after}`));
    place(arrived.filter((element) => !document.getElementById(element.id)));
  } catch { /* a reload shows them */ }
}

export function made(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

export class Reply {
  /** `keep` leaves the words that are there (a reply that is being continued). */
  constructor(article, { keep = false, follow = () => {} } = {}) {
    this.article = article;
    this.follow = follow;
    this.text = "";
    this.timer = 0;
    this.painted = 0;
    for (const old of article.querySelectorAll(".inline-note, .turn-tools, .turn-edit")) old.remove();
    if (!keep) for (const prose of article.querySelectorAll(".prose")) prose.remove();
    this.prose = made("div", "prose");
    this.caret = made("span", "caret");
    this.caret.setAttribute("aria-hidden", "true");
    article.append(this.prose);
    article.setAttribute("aria-busy", "true");
    this.paint();
  }

  add(text) {
    this.text += text;
    this.note("");
    this.timer ||= setTimeout(() => { this.timer = 0; this.paint(); }, this.painted + PAINT_EVERY - performance.now());
  }

  paint() {
    this.painted = performance.now();
    const paragraphs = this.text.split(/\n{2,}/);
    while (this.prose.children.length < paragraphs.length) this.prose.append(made("p"));
    paragraphs.forEach((words, at) => {
      const place = this.prose.children[at];
      const last = at === paragraphs.length - 1;
      if (last || place.textContent !== words) place.textContent = words;
      if (last) place.append(this.caret);
    });
    this.follow();
  }

  /** What the narrator is doing before the first word, with how far it is (0..1 or null). */
  note(sentence, share = null) {
    if (!sentence) { this.progress?.remove(); this.progress = null; return; }
    if (!this.progress) {
      this.progress = made("div", "inline-note waking");
      this.progress.append(made("p", "small mute"), document.createElement("progress"));
      this.article.append(this.progress);
    }
    this.progress.querySelector("p").textContent = sentence;
    const bar = this.progress.querySelector("progress");
    bar.setAttribute("aria-label", sentence);
    if (share === null || share === undefined) bar.removeAttribute("value");
    else bar.value = share;
    this.follow();
  }

  /** No more words: the caret goes. `sentence` stays under the text when the server can't be asked for its own, with a
      button for `act` when there is something to do. */
  end(sentence = "", { label = "", act = null } = {}) {
    clearTimeout(this.timer);
    this.note("");
    this.paint();
    this.caret.remove();
    this.article.removeAttribute("aria-busy");
    if (!sentence) return;
    const place = made("div", "inline-note");
    const note = made("div", "note note-plain note-warn");
    note.append(made("p", "", sentence));
    if (act) {
      const button = made("button", "btn btn-s", label);
      button.type = "button";
      button.addEventListener("click", act);
      note.append(button);
    }
    place.append(note);
    this.article.append(place);
  }
}

/** A narrator that was busy shortly before the page was made: ask what is left of the time that it named. */
export async function hearWait(turn) {
  if (!turn) return;
  try {
    const response = await fetch(`/stream/runs/${turn.id.slice(2)}?after=${ALL_WORDS}`);
    if (!response.ok) return;
    for await (const { event, data } of frames(response.body)) if (event === "done") holdRetry(turn, data.retry_after);
  } catch { /* the buttons work at once, and the narrator says it again */ }
}

/** The narrator named a time before which asking again is no use: so long the buttons for it wait. Eyes see how long;
    screen readers may look it up, and hear only that it is over. */
export function holdRetry(article, seconds) {
  const buttons = [...(article?.querySelectorAll(".note :is([data-act=retry], [data-act=continue])") ?? [])];
  if (!buttons.length || !(seconds > 0)) return;
  const over = Date.now() + seconds * 1000;
  const timer = made("p", "small num wait");
  timer.setAttribute("role", "timer");
  timer.setAttribute("aria-live", "off");
  buttons[0].parentElement.append(timer);
  const tick = () => {
    const left = Math.ceil((over - Date.now()) / 1000);
    for (const button of buttons) button.disabled = left > 0;
    timer.textContent = left > 0 ? waitOf(left) : "You can try again now.";
    if (!timer.isConnected) return; // another turn stands here by now
    if (left > 0) setTimeout(tick, (over - Date.now()) % 1000 || 1000);
    else say("You can try again now.");
  };
  tick();
}

/** "You can try again in 3 seconds." */
export function waitOf(seconds) {
  const [count, unit] = seconds > 90 ? [Math.ceil(seconds / 60), "minute"] : [seconds, "second"];
  return `You can try again in ${count} ${unit}${count === 1 ? "" : "s"}.`;
}
