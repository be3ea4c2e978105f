// A live board, of a day or a week: hears that something changed, looks again, and ticks what time alone changes.
"use strict";
(() => {
  const board = document.getElementById("board");
  if (!board) return;
  const announce = document.querySelector("[data-announce]");
  const offline = document.querySelector("[data-offline]");
  const signedOut = document.querySelector("[data-signed-out]");
  // milliseconds: without a stream, and beside one (a hint may be lost); boards that hear one hint do not all ask at once
  const POLL = 15000, SAFETY = 60000, SPREAD = 150, PAUSE = 600;

  const day = document.querySelector("[data-goes]");
  if (day) {
    let typed = false;
    day.addEventListener("keydown", (event) => { typed = event.key !== "Enter"; });
    day.addEventListener("pointerdown", () => { typed = false; });
    day.addEventListener("change", () => { if (!typed && day.value) day.form.requestSubmit(); });
    day.addEventListener("blur", () => { if (day.value && day.value !== day.defaultValue) day.form.requestSubmit(); });
  }

  // -- what ticks: the server tells the time once, from then on this page's own steady clock counts
  let deadlines = new Map();
  let serverNow = 0, toldAt = 0;
  const now = () => serverNow + (performance.now() - toldAt) / 1000;
  const arm = () => {
    const shown = board.querySelector("[data-board]");
    if (shown) { serverNow = Number(shown.dataset.now); toldAt = performance.now(); }
    deadlines = new Map([...board.querySelectorAll("[data-seconds]")].map((part) => [part, performance.now() + Number(part.dataset.seconds) * 1000]));
    tick();
    slowTick();
  };
  let hurried = 0;
  const tick = () => {
    for (const [part, end] of deadlines) {
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      part.querySelector("[data-clock]").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      part.classList.toggle("is-ending", left <= 10);
      // whoever fills in the form keeps renewing the hold: ask what is left before saying that it is over
      if (left <= 3 && performance.now() - hurried > 3000) { hurried = performance.now(); etag = ""; look(); }
    }
  };
  const slowTick = () => {
    for (const line of board.querySelectorAll("[data-now-line]")) {
      const steps = Number(line.closest("[data-board]").dataset.steps);
      const place = (now() - Number(line.closest("[data-column]").dataset.opens)) / 300;
      line.hidden = place < 0 || place >= steps;
      line.style.gridRowStart = String(Math.floor(place) + 1);
      line.style.setProperty("--part", String(place - Math.floor(place)));
    }
    for (const part of board.querySelectorAll("[data-since]")) {
      part.querySelector("[data-minutes]").textContent = String(Math.max(0, Math.floor((now() - Number(part.dataset.since)) / 60)));
    }
  };
  setInterval(tick, 1000);
  setInterval(slowTick, 20000);

  // -- what is shown
  const keys = (name) => new Set([...board.querySelectorAll(`[data-${name}]`)].map((part) => part.dataset[name]));
  const text = (part) => part.innerText.replace(/\s+/g, " ").trim();
  const tell = (before, ids, after, name, said) => {
    for (const key of after) {
      if (before.has(key)) continue;
      const part = board.querySelector(`[data-${name}="${CSS.escape(key)}"]`);
      part.classList.add("arrives");
      const moved = name === "visit" && ids.has(part.dataset.id);
      announce.textContent = `${moved ? announce.dataset.moved : said} ${text(part)}`;
    }
  };
  const selectorOf = (part) => {
    if (part.id) return `#${CSS.escape(part.id)}`;
    const address = part.getAttribute("formaction") || part.getAttribute("href");
    if (address) return `[${part.hasAttribute("formaction") ? "formaction" : "href"}="${CSS.escape(address)}"]`;
    return part.classList.contains("board-scroll") ? ".board-scroll" : null;
  };
  const show = (html) => {
    const visits = keys("visit"), holds = keys("hold"), ids = keys("id");
    const focused = document.activeElement && board.contains(document.activeElement) ? document.activeElement : null;
    const again = focused && selectorOf(focused);
    const scroll = board.querySelector(".board-scroll");
    const [top, left] = scroll ? [scroll.scrollTop, scroll.scrollLeft] : [0, 0];
    const opened = [...board.querySelectorAll("details")].map((part) => part.open);
    board.innerHTML = html;
    board.querySelectorAll("details").forEach((part, index) => { part.open = Boolean(opened[index]); });
    const moved = board.querySelector(".board-scroll");
    if (moved) { moved.scrollTop = top; moved.scrollLeft = left; }
    if (again) board.querySelector(again)?.focus({ preventScroll: true });
    arm();
    tell(visits, ids, keys("visit"), "visit", announce.dataset.newVisit);
    tell(holds, ids, keys("hold"), "hold", announce.dataset.newHold);
    if ([...holds].some((key) => !keys("hold").has(key))) announce.textContent ||= announce.dataset.holdGone;
    board.dispatchEvent(new CustomEvent("board:shown"));
  };

  // -- looking again: one request at a time; while a visit is in somebody's hand, later
  let etag = board.dataset.etag;
  let misses = 0, looking = false, wanted = false, held = false;
  const look = async () => {
    if (document.hidden) return;
    if (looking || held) { wanted = true; return; }
    looking = true; wanted = false;
    try {
      const answer = await fetch(board.dataset.refresh, { headers: { "If-None-Match": etag }, redirect: "manual", signal: AbortSignal.timeout(10000) });
      signedOut.hidden = answer.type !== "opaqueredirect";
      if (answer.status === 200) {
        const html = await answer.text();
        if (held) wanted = true; // looked at again when it is let go
        else { etag = answer.headers.get("ETag") || ""; show(html); }
      } else if (answer.status !== 304 && answer.type !== "opaqueredirect") throw new Error(String(answer.status));
      misses = 0;
    } catch { misses += 1; }
    looking = false;
    offline.hidden = misses < 2;
    if (wanted && !held) look();
  };
  let timer = 0;
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => { await look(); again(); }, misses ? Math.min(4000 * misses, POLL) : isHeard() ? SAFETY : POLL);
  };

  // -- hearing: one stream a page, none while nobody looks; EventSource gives up after any answer but a stream
  let stream = null, reopens = 0;
  const isHeard = () => stream !== null && stream.readyState === EventSource.OPEN;
  let due = 0, lookedAt = -PAUSE;
  const soon = () => {
    clearTimeout(due);
    due = setTimeout(() => { lookedAt = performance.now(); look(); }, Math.max(Math.random() * SPREAD, lookedAt + PAUSE - performance.now()));
  };
  const hear = () => {
    clearTimeout(reopens);
    stream?.close();
    stream = null;
    if (document.hidden || !window.EventSource) return;
    stream = new EventSource(board.dataset.stream);
    stream.addEventListener("ready", () => { board.dataset.live = "stream"; look(); again(); }); // what came before is told to nobody
    stream.addEventListener("changed", soon);
    stream.addEventListener("error", () => { // it may try again every few seconds, and each time this comes
      if (board.dataset.live !== "poll") { board.dataset.live = "poll"; again(); }
      if (stream?.readyState === EventSource.CLOSED) reopens = setTimeout(hear, POLL);
    });
  };
  document.addEventListener("visibilitychange", () => { hear(); if (!document.hidden) look(); again(); });
  window.addEventListener("pagehide", () => stream?.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) { hear(); look(); } });

  // the page of today goes on to the next day with the clock
  const follow = () => {
    const zone = board.querySelector("[data-board]")?.dataset.zone;
    if (!("follows" in board.dataset) || !zone) return;
    const today = () => new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" }).format(now() * 1000);
    const first = today();
    setInterval(() => { if (today() !== first && !held && !document.querySelector("dialog[open]")) location.reload(); }, 30000);
  };

  // -- what the other scripts of the board use
  const toast = document.querySelector("[data-toast]");
  const said = toast.querySelector("[data-toast-text]");
  const undo = toast.querySelector("[data-undo]");
  let undoing = null, armed = 0;
  const close = () => { toast.hidden = true; undoing = null; clearTimeout(armed); };
  toast.querySelector("[data-toast-close]").addEventListener("click", close);
  undo.addEventListener("click", () => { const act = undoing; close(); act?.(); });
  document.addEventListener("keydown", (event) => {
    if (undoing && (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z" && !event.target.matches("input, textarea")) { event.preventDefault(); undo.click(); }
  });
  window.restartixBoard = {
    board,
    look: () => { etag = ""; return look(); },
    hold: (isHeld) => { held = isHeld; if (!held && wanted) look(); },
    announce: (words) => { announce.textContent = words; },
    words: announce.dataset,
    // says it where it can be seen and heard; a problem stays until it is closed, a success with its undo for a minute
    say: (words, { isProblem = false, back = null } = {}) => {
      clearTimeout(armed);
      if (!isProblem) armed = setTimeout(close, 60000);
      toast.hidden = false;
      toast.classList.toggle("is-problem", isProblem);
      said.textContent = "";
      requestAnimationFrame(() => { said.textContent = words; });
      undoing = back;
      undo.hidden = back === null;
    },
    // posts as the page's own forms do; gives what the server said, whatever it was
    post: async (url, fields) => {
      const body = new URLSearchParams(fields);
      body.set("csrfmiddlewaretoken", document.querySelector("#release [name=csrfmiddlewaretoken]").value);
      try {
        const answer = await fetch(url, { method: "POST", body, redirect: "error", signal: AbortSignal.timeout(20000) });
        const isJson = (answer.headers.get("Content-Type") || "").startsWith("application/json");
        const told = isJson ? await answer.json() : { said: document.querySelector("[data-visit-card]").dataset[answer.status === 404 ? "gone" : "failed"] };
        return { ...told, isDone: answer.ok && isJson };
      } catch { return { said: document.querySelector("[data-visit-card]").dataset.failed, isDone: false }; }
    },
  };

  hear();
  again();
  arm();
  follow();
  const line = board.querySelector(".now:not([hidden])");
  const scroll = board.querySelector(".board-scroll");
  if (line && scroll && scroll.scrollHeight > scroll.clientHeight) scroll.scrollTop = line.offsetTop - scroll.clientHeight / 3;
})();
