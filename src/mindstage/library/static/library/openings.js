/* Openings to choose from: the chosen one unfolds, the one before folds up, and what was chosen stays where it stood.
   Browsers keep a place by what is in view; here that is what folds. */
let stood = new Map();

function remember() {
  stood = new Map([...document.querySelectorAll(".choice-opening")].map((choice) => [choice, choice.getBoundingClientRect().top]));
}
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, remember);

document.addEventListener("change", ({ target }) => {
  const choice = target.closest(".choice-opening");
  if (!stood.has(choice)) return;
  scrollBy({ top: choice.getBoundingClientRect().top - stood.get(choice), behavior: "instant" });
  target.scrollIntoView({ block: "nearest", behavior: "instant" }); // an arrow key may choose one out of sight
});
