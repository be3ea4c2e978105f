// My day: hears that something of the clinic changed and reads itself again; the time left on holds ticks.
"use strict";
(() => {
  const day = document.getElementById("my-day");
  if (!day) return;
  const announce = document.querySelector("[data-announce]");
  // milliseconds: without a stream, and beside one (a hint may be lost); pages that hear one hint do not all ask at once
  const POLL = 15000, SAFETY = 60000, SPREAD = 300;

  let kept = new Map();
  const tick = () => {
    for (const [part, end] of kept) {
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      part.querySelector("[data-clock]").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      part.classList.toggle("is-ending", left <= 10);
    }
  };
  const arm = () => {
    kept = new Map([...day.querySelectorAll("[data-seconds]")].map((part) => [part, performance.now() + Number(part.dataset.seconds) * 1000]));
    tick();
  };
  setInterval(tick, 1000);

  // what is read, without the clocks: only a change of it is shown
  const words = (root) => {
    const copy = root.cloneNode(true);
    for (const clock of copy.querySelectorAll("[data-clock]")) clock.textContent = "";
    return copy.textContent.replace(/\s+/g, " ");
  };
  const show = (fresh) => {
    const active = document.activeElement && day.contains(document.activeElement) ? document.activeElement : null;
    const name = active && ["id", "formaction", "href"].find((each) => active.getAttribute(each));
    const again = name ? `[${name}="${CSS.escape(active.getAttribute(name))}"]` : null;
    const opened = [...day.querySelectorAll("details")].map((part) => part.open);
    const isNews = words(day) !== words(fresh);
    day.replaceChildren(...fresh.childNodes);
    day.querySelectorAll("details").forEach((part, index) => { part.open = Boolean(opened[index]); });
    if (again) day.querySelector(again)?.focus({ preventScroll: true });
    arm();
    if (isNews) announce.textContent = announce.dataset.changed;
  };
  let looking = false, wanted = false;
  const look = async () => {
    if (document.hidden) return;
    if (looking) { wanted = true; return; }
    looking = true; wanted = false;
    try {
      const answer = await fetch(location.href, { redirect: "error", signal: AbortSignal.timeout(10000) });
      const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("my-day");
      // a button that is being used is not taken away: the page it leads to is newer anyway
      if (fresh && !day.querySelector("form[data-sent]")) show(fresh);
    } catch { /* asked again soon */ }
    looking = false;
    if (wanted) look();
  };

  let stream = null, reopens = 0, timer = 0;
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => { await look(); again(); }, stream?.readyState === EventSource.OPEN ? SAFETY : POLL);
  };
  const hear = () => {
    clearTimeout(reopens);
    stream?.close();
    stream = null;
    if (document.hidden) return;
    stream = new EventSource(day.dataset.stream);
    stream.addEventListener("ready", () => { look(); again(); });
    stream.addEventListener("changed", () => setTimeout(look, Math.random() * SPREAD));
    stream.addEventListener("error", () => {
      again();
      if (stream?.readyState === EventSource.CLOSED) reopens = setTimeout(hear, POLL);
    });
  };
  document.addEventListener("visibilitychange", () => { hear(); if (!document.hidden) look(); again(); });
  window.addEventListener("pagehide", () => stream?.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) { hear(); look(); } });

  arm();
  hear();
  again();
})();
