/* The small tools of a turn: edit in place, copy, delete with Undo. */
import { ask, elements, place, refresh } from "mindstage/swap";
import { say, toast } from "mindstage/say";

document.addEventListener("click", (event) => {
  const edit = event.target.closest("[data-edit]");
  if (edit) { event.preventDefault(); openEditor(edit.closest(".turn")); }
  const end = event.target.closest("[data-edit-end]");
  if (end) { event.preventDefault(); closeEditor(end.closest(".turn")); }
  const copy = event.target.closest("[data-copy]");
  if (copy) copyWords(copy.closest(".turn"));
  if (event.target.closest("[data-trash]")) byKeys = event.detail === 0;
});

let byKeys = false; // whether the last turn was deleted without a pointer: its focus would be lost with it

document.addEventListener("keydown", (event) => {
  const editor = event.target.closest?.(".turn-edit");
  if (!editor) return;
  if (event.key === "Escape") { event.preventDefault(); closeEditor(editor.closest(".turn")); }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) editor.requestSubmit();
});

function openEditor(turn, words = null) {
  const editor = turn.querySelector(".turn-edit");
  turn.classList.add("is-edited");
  const field = editor.querySelector("textarea");
  if (words !== null) field.value = words;
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

/* Closing asks nothing and loses nothing: what was written is a key away. */
function closeEditor(turn) {
  const { value, defaultValue } = turn.querySelector(".turn-edit textarea");
  turn.classList.remove("is-edited");
  turn.querySelector(".turn-edit").reset();
  turn.querySelector("[data-edit]")?.focus();
  if (value !== defaultValue) toast("The turn stays as it was.", { label: "Back to my edit", act: () => openEditor(document.getElementById(turn.id) ?? turn, value), seconds: 15 });
}

async function copyWords(turn) {
  const words = turn.querySelector(".turn-edit textarea")?.value ?? turn.querySelector(".prose").textContent;
  try {
    await navigator.clipboard.writeText(words);
    toast("The turn is copied.", { seconds: 3 });
  } catch {
    toast("This browser does not let pages copy here. Mark the words and copy them yourself.");
  }
}

/* Deleting acts at once and can be undone; the server answers with what is gone. */
document.addEventListener("stage:swapped", ({ detail: { form, submitter, url } }) => {
  if (!submitter?.matches("[data-trash]")) return;
  const turn = submitter.closest(".turn");
  turn.remove(); // still there when the server only said "done"
  markLast();
  const last = document.querySelector("#turns > .turn.last");
  if (last) refresh(`turns/${last.id.slice(2)}/`).catch(() => { /* it only lacks a tool */ });
  const body = new FormData(form);
  const back = byKeys ? turn.dataset.position : null;
  toast(`Turn ${turn.dataset.position} is in the trash.`, {
    label: "Undo", act: () => undo(`${url}undo/`, body, back), seconds: 15, from: byKeys ? turnBefore(back) : null,
  });
});

function turnBefore(position) {
  const turns = [...document.querySelectorAll("#turns > .turn")];
  return turns.findLast((turn) => Number(turn.dataset.position) < Number(position)) ?? turns[0] ?? document.getElementById("line");
}

/* An edit is a new version, and the one before it a key away. */
document.addEventListener("stage:swapped", ({ detail: { form } }) => {
  if (!form.matches(".turn-edit")) return;
  const before = form.closest(".turn");
  const now = document.querySelector(`#turns > .turn[data-position="${before.dataset.position}"]`);
  if (!now || now.id === before.id) return;
  const body = new FormData(form);
  body.set("variant", before.id.slice(2));
  toast("Saved as a new version.", { label: "Undo", act: () => undo(`turns/${now.id.slice(2)}/choice/`, body, null, "The version before is back."), seconds: 15 });
});

async function undo(url, body, back, said = "The turn is back.") {
  try {
    const response = await ask(url, { method: "POST", body });
    if (response.redirected) return location.assign(response.url);
    if (response.status === 204) return location.reload();
    place(await elements(response));
    markLast();
    if (back) document.querySelector(`#turns > .turn[data-position="${back}"]`)?.focus({ preventScroll: true });
    say(said);
  } catch (refusal) {
    toast(refusal.message);
  }
}

function markLast() {
  const turns = document.querySelectorAll("#turns > .turn");
  turns.forEach((turn, at) => turn.classList.toggle("last", at === turns.length - 1));
}
