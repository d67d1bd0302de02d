/* How the page speaks: once to screen readers (#live), or as a toast with something to do. */

/** Say a sentence to screen readers. */
export function say(sentence) {
  const live = document.getElementById("live");
  if (!live) return;
  live.textContent = "";
  setTimeout(() => { live.textContent = sentence; }, 30); // an empty moment makes the same sentence heard twice
}

let leaving = 0;

/** Show a sentence over the page, where its style puts it; `act` runs when the person presses `label`.
    `from`: where the focus was, for whoever came there by keys; it goes to the label, and back there with Escape. */
export function toast(sentence, { label = "", act = null, seconds = 9, from = null } = {}) {
  document.querySelector(".toast")?.remove();
  const box = document.createElement("div");
  box.className = "toast";
  box.setAttribute("role", "status");
  const words = document.createElement("span");
  box.append(words);
  if (label) box.append(pressable(label, () => { box.remove(); act(); }));
  document.body.append(box);
  words.textContent = sentence;
  linger(box, seconds);
  if (from) takeFocus(box, from);
}

function takeFocus(box, from) {
  box.querySelector("button")?.focus({ preventScroll: true });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    box.remove();
    from.focus({ preventScroll: true });
  });
}

function pressable(label, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link";
  button.textContent = label;
  button.addEventListener("click", act);
  return button;
}

/* It stays while the pointer or the focus is on it. */
function linger(box, seconds) {
  const go = () => { clearTimeout(leaving); leaving = setTimeout(() => box.remove(), seconds * 1000); };
  const stay = () => clearTimeout(leaving);
  for (const [name, deed] of [["pointerenter", stay], ["focusin", stay], ["pointerleave", go], ["focusout", go]]) box.addEventListener(name, deed);
  go();
}
