// My day: the time left on holds ticks, and the page is read again when it is looked at after a while.
"use strict";
(() => {
  const STALE = 60000;
  const loaded = performance.now();
  const kept = [...document.querySelectorAll("[data-seconds]")].map((part) => [part, loaded + Number(part.dataset.seconds) * 1000]);
  const tick = () => {
    for (const [part, end] of kept) {
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      part.querySelector("[data-clock]").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      part.classList.toggle("is-ending", left <= 30);
    }
  };
  tick();
  if (kept.length) setInterval(tick, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && performance.now() - loaded > STALE) location.reload(); });
})();
