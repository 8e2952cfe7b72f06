"use strict";
// Adds copy buttons, and switches all examples to the language chosen for one. The page is readable without it.
const told = document.querySelector(".told");
if (navigator.clipboard) {
  for (const code of document.querySelectorAll(".code, .languages")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const shown = [...code.querySelectorAll("pre")].find((each) => each.getClientRects().length);
      try {
        await navigator.clipboard.writeText(shown.textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
      told.textContent = button.textContent;
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    code.append(button);
  }
}
document.addEventListener("change", ({ target }) => {
  for (const each of document.querySelectorAll(".languages input")) {
    if (each.value === target.value) each.checked = true;
  }
});
