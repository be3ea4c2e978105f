// Buttons that copy what stands beside them.
"use strict";
for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  const said = button.querySelector("[aria-live]");
  if (!source || !said) continue;
  const before = said.textContent;
  button.hidden = false;
  const select = () => {
    const range = document.createRange();
    range.selectNodeContents(source);
    const chosen = window.getSelection();
    chosen.removeAllRanges();
    chosen.addRange(range);
  };
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      said.textContent = button.dataset.copied;
    } catch {
      select();
      said.textContent = button.dataset.failed;
    }
    setTimeout(() => { said.textContent = before; }, 4000);
  });
}
