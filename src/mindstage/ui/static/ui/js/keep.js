/* Codes that are shown once: a copy of them, or the page on paper. */
import { toast } from "mindstage/say";

document.addEventListener("click", (event) => {
  const copies = event.target.closest("[data-copies]");
  if (copies) copy(document.getElementById(copies.dataset.copies));
  if (event.target.closest("[data-print]")) print();
});

async function copy(shown) {
  try {
    await navigator.clipboard.writeText(shown.innerText.trim());
    toast("Copied. What is copied is gone with the next copy: put it where you keep such things.", { seconds: 6 });
  } catch {
    toast("This browser does not let pages copy here. Mark it and copy it yourself.");
  }
}
