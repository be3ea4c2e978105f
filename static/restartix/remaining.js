// Minutes left, told anew while the page stays open; at the end the page looks again.
"use strict";
for (const part of document.querySelectorAll("[data-remaining]")) {
  // what the server told at first counts, not this machine's clock
  const shown = Number.parseInt(part.textContent, 10);
  const began = performance.now();
  const timer = setInterval(() => {
    const left = Math.floor(shown - (performance.now() - began) / 60000);
    if (Number.isNaN(left) || left < 0) {
      clearInterval(timer);
      location.reload();
      return;
    }
    part.textContent = part.dataset.form.replace("%s", String(left));
  }, 15000);
}
