/* <card-drop>: drop a card or pick it, see that something happens, read a clear sentence when it can't be used.
   Without this file the form inside is an ordinary upload. */
import { ask } from "mindstage/swap";

const MOST = 20 * 1024 * 1024;

class CardDrop extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.input = this.querySelector("input[type=file]");
    this.zone = this.querySelector(".drop");
    this.input.addEventListener("change", () => this.named());
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    for (const name of ["dragenter", "dragover"]) this.zone.addEventListener(name, (event) => { event.preventDefault(); this.zone.classList.add("is-over"); });
    for (const name of ["dragleave", "drop"]) this.zone.addEventListener(name, () => this.zone.classList.remove("is-over"));
    this.zone.addEventListener("drop", (event) => this.dropped(event));
    // A card that misses the zone must not replace the page with itself.
    for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
  }

  dropped(event) {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    this.input.files = event.dataTransfer.files;
    this.named();
    this.send();
  }

  named() {
    this.querySelector(".drop-name").textContent = this.input.files[0]?.name ?? "";
    this.problem("");
  }

  problem(sentence) {
    const place = document.getElementById("card-problem");
    place.textContent = "";
    if (!sentence) return;
    const note = document.createElement("p");
    note.className = "note note-bad note-plain";
    note.textContent = sentence;
    place.append(note);
  }

  async send() {
    const file = this.input.files[0];
    if (!file) return this.problem("Choose a card first: a JSON file, or a PNG picture with the card inside.");
    if (file.size > MOST) return this.problem("This file is larger than 20 MB. Nothing was sent.");
    this.working(true);
    try {
      const answer = await ask(this.form.action, { method: "POST", body: new FormData(this.form) });
      location.assign(answer.url);
    } catch (refusal) {
      this.failed(refusal.message);
    }
  }

  failed(sentence) {
    this.working(false);
    this.problem(sentence);
  }

  working(busy) {
    this.querySelector(".drop-progress").hidden = !busy;
    this.querySelector("button").disabled = busy;
  }
}

customElements.define("card-drop", CardDrop);
