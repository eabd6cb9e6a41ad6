// Puts a button on every sample that copies it. The pages do without.
"use strict";

for (const figure of document.querySelectorAll("figure.code")) {
  if (!navigator.clipboard) break; // browsers have it on https and on this machine only
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(figure.querySelector("code").textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = "Copy"), 1600);
  });
  figure.append(button);
}

// On a wide window the menu is a column and stays open; on a narrow one it opens when asked.
const menu = document.getElementById("menu");
const wide = matchMedia("(min-width: 60rem)");
menu.open = wide.matches;
wide.addEventListener("change", () => (menu.open = wide.matches));
