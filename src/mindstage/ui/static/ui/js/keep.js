/* Codes that are shown once: a copy of them, or the page on paper. */
import { toast } from "mindstage/say";

const COPIED = "Copied. Some devices keep what was copied, or pass it on to your others: put it where you keep such things, then clear it there.";

document.addEventListener("click", (event) => {
  const copies = event.target.closest("[data-copies]");
  if (copies) copy(document.getElementById(copies.dataset.copies));
  if (event.target.closest("[data-print]")) print();
});

async function copy(shown) {
  try {
    await navigator.clipboard.writeText(shown.innerText.trim());
    toast(COPIED, { seconds: 10 });
  } catch {
    toast("This browser does not let pages copy here. Mark it and copy it yourself.");
  }
}
