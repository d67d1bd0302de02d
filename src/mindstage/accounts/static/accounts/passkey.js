/* <passkey-door what="log_in">: the form inside is a passkey ceremony. The server says what to ask the browser for, the
   browser asks the person, the server looks at the answer and says where to go on. At sign-up the form goes its ordinary
   way when the passphrase is chosen. */
const SENTENCES = {
  NotAllowedError: "No passkey was used: it was cancelled, or took too long. Nothing was changed.",
  InvalidStateError: "This device holds a passkey for this account already. Nothing was changed.",
  NotSupportedError: "This device cannot keep a passkey of this kind. Nothing was changed.",
};
const UNABLE = "This browser knows no passkeys here. Please use a passphrase.";
const STALE = "This page is no longer valid. Nothing was changed; please load it again.";
const AWAY = "Mindstage can’t be reached, so nothing was changed. Please try again in a moment.";

class PasskeyDoor extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.form.addEventListener("submit", (event) => {
      if (new FormData(this.form).get("key") === "passphrase") return;
      event.preventDefault();
      this.walk();
    });
  }

  async walk() {
    if (this.busy) return;
    this.busy = true;
    this.say("");
    try {
      const credential = await this.ceremony(await this.ask("/passkey/options/", { what: this.getAttribute("what") }));
      const answer = await this.ask("/passkey/", { credential: JSON.stringify(credential) });
      location.assign(answer.next);
    } catch (trouble) {
      this.say(trouble instanceof Refusal ? trouble.message : SENTENCES[trouble.name] ?? UNABLE, trouble.field);
    } finally {
      this.busy = false;
    }
  }

  async ceremony({ publicKey }) {
    const known = window.PublicKeyCredential;
    if (publicKey.user) {
      return (await navigator.credentials.create({ publicKey: known.parseCreationOptionsFromJSON(publicKey) })).toJSON();
    }
    return (await navigator.credentials.get({ publicKey: known.parseRequestOptionsFromJSON(publicKey) })).toJSON();
  }

  async ask(address, more) {
    const body = new FormData(this.form);
    body.delete("passphrase");
    for (const [name, value] of Object.entries(more)) body.set(name, value);
    let answer;
    try {
      answer = await fetch(address, { method: "POST", body });
    } catch {
      throw new Refusal(AWAY);
    }
    const said = await answer.json().catch(() => ({ say: answer.status < 500 ? STALE : AWAY }));
    if (!answer.ok) throw new Refusal(said.say, said.field);
    return said;
  }

  say(sentence, field) {
    this.querySelector(".passkey-problem")?.remove();
    if (!sentence) return;
    const note = document.createElement("p");
    note.className = "note note-bad note-plain passkey-problem";
    note.setAttribute("role", "alert");
    note.textContent = sentence;
    this.form.querySelector(".passkey-says").before(note);
    if (field) this.form.elements[field]?.focus?.();
  }
}

class Refusal extends Error {
  constructor(sentence, field) {
    super(sentence);
    this.field = field;
  }
}

customElements.define("passkey-door", PasskeyDoor);
