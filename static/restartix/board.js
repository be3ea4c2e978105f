// The day's board: looks again every few seconds while it is visible, and ticks the time left on holds.
"use strict";
(() => {
  const board = document.getElementById("board");
  if (!board) return;
  const announce = document.querySelector("[data-announce]");
  const offline = document.querySelector("[data-offline]");
  const every = Number(board.dataset.every);

  const day = document.querySelector("[data-goes]");
  if (day) {
    let typed = false;
    day.addEventListener("keydown", (event) => { typed = event.key !== "Enter"; });
    day.addEventListener("pointerdown", () => { typed = false; });
    day.addEventListener("change", () => { if (!typed && day.value) day.form.requestSubmit(); });
    day.addEventListener("blur", () => { if (day.value && day.value !== day.defaultValue) day.form.requestSubmit(); });
  }
  const print = document.querySelector("[data-print]");
  if (print) { print.hidden = false; print.addEventListener("click", () => window.print()); }

  // seconds left are told by the server; from then on this page's own steady clock counts
  let deadlines = new Map();
  const arm = () => {
    deadlines = new Map([...board.querySelectorAll("[data-seconds]")].map((part) => [part, performance.now() + Number(part.dataset.seconds) * 1000]));
    tick();
  };
  const tick = () => {
    for (const [part, end] of deadlines) {
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      part.querySelector("[data-clock]").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      part.classList.toggle("is-ending", left <= 30);
    }
  };
  setInterval(tick, 1000);

  const keys = (name) => new Set([...board.querySelectorAll(`[data-${name}]`)].map((part) => part.dataset[name]));
  const tell = (before, after, name, said) => {
    for (const key of after) {
      if (before.has(key)) continue;
      const part = board.querySelector(`[data-${name}="${CSS.escape(key)}"]`);
      part.classList.add("arrives");
      announce.textContent = `${said} ${part.innerText.replace(/\s+/g, " ").trim()}`;
    }
  };
  const show = (html) => {
    const visits = keys("visit"), holds = keys("hold");
    const focused = document.activeElement && board.contains(document.activeElement) ? document.activeElement : null;
    const again = focused && (focused.id ? `#${focused.id}` : focused.getAttribute("formaction") ? `[formaction="${CSS.escape(focused.getAttribute("formaction"))}"]` : focused.classList.contains("board-scroll") ? ".board-scroll" : null);
    const scroll = board.querySelector(".board-scroll");
    const [top, left] = scroll ? [scroll.scrollTop, scroll.scrollLeft] : [0, 0];
    const opened = [...board.querySelectorAll("details")].map((part) => part.open);
    board.innerHTML = html;
    board.querySelectorAll("details").forEach((part, index) => { part.open = Boolean(opened[index]); });
    const moved = board.querySelector(".board-scroll");
    if (moved) { moved.scrollTop = top; moved.scrollLeft = left; }
    if (again) board.querySelector(again)?.focus({ preventScroll: true });
    arm();
    tell(visits, keys("visit"), "visit", announce.dataset.newVisit);
    tell(holds, keys("hold"), "hold", announce.dataset.newHold);
    if ([...holds].some((key) => !keys("hold").has(key))) announce.textContent ||= announce.dataset.holdGone;
  };

  let etag = board.dataset.etag;
  let misses = 0;
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(board.dataset.refresh, { headers: { "If-None-Match": etag }, redirect: "error", signal: AbortSignal.timeout(10000) });
      if (answer.status === 200) { etag = answer.headers.get("ETag") || ""; show(await answer.text()); }
      else if (answer.status !== 304) throw new Error(String(answer.status));
      misses = 0;
    } catch { misses += 1; }
    offline.hidden = misses < 2;
  };
  const loop = async () => { await look(); setTimeout(loop, every * Math.min(1 + misses, 8)); };
  setTimeout(loop, every);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });

  arm();
  const now = board.querySelector(".now");
  const scroll = board.querySelector(".board-scroll");
  if (now && scroll && scroll.scrollHeight > scroll.clientHeight) scroll.scrollTop = now.offsetTop - scroll.clientHeight / 3;
})();
