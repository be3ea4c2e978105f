// Dragging a visit to another time or column: a ghost shows where it would be, Escape leaves it where it was.
// Quarters of an hour and beginnings of free time catch it; Shift moves in steps of five minutes. The server judges.
"use strict";
(() => {
  const desk = window.restartixBoard;
  if (!desk || !window.PointerEvent) return;
  const STEP = 300, QUARTER = 3, FAR = 5, EDGE = 48; // seconds, steps; pixels
  let drag = null;

  const columns = () => [...desk.board.querySelectorAll("[data-column]")];
  const columnAt = (x) => columns().find((each) => { const box = each.getBoundingClientRect(); return x >= box.left && x < box.right; });
  const clock = (second) => new Intl.DateTimeFormat("en-GB", { timeZone: desk.board.querySelector("[data-board]").dataset.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(second * 1000);

  const lift = (event) => {
    const { visit } = drag;
    const grid = visit.closest("[data-grid]");
    drag.step = grid.querySelector(".ground").getBoundingClientRect().height / Number(desk.board.querySelector("[data-board]").dataset.steps);
    drag.grabbed = drag.y - visit.getBoundingClientRect().top;
    drag.length = Number(visit.dataset.length);
    drag.ghost = visit.cloneNode(true);
    drag.ghost.removeAttribute("data-id");
    drag.ghost.removeAttribute("data-visit");
    drag.ghost.querySelectorAll("[id]").forEach((part) => part.removeAttribute("id"));
    drag.ghost.className = drag.ghost.className.replace(/\br-\d+\b/, "");
    drag.ghost.classList.add("is-ghost");
    drag.ghost.setAttribute("aria-hidden", "true");
    drag.ghost.inert = true;
    visit.classList.add("is-lifted");
    document.documentElement.classList.add("is-dragging");
    desk.hold(true);
    desk.announce(desk.words.lifted);
    drag.isLifted = true;
    visit.setPointerCapture(event.pointerId);
    drag.frame = requestAnimationFrame(scrollOn);
  };

  // where the visit would begin: the row under its top edge, caught by what is near
  const rowAt = (column, y, isFine) => {
    const top = column.querySelector(".ground").getBoundingClientRect().top;
    const row = (y - drag.grabbed - top) / drag.step;
    const last = Number(desk.board.querySelector("[data-board]").dataset.steps) - 1;
    const kept = (place) => Math.min(Math.max(place, 0), last);
    if (isFine) return kept(Math.round(row));
    const free = [...column.querySelectorAll(".free")].map((part) => Number(part.dataset.row));
    const near = [Math.round(row / QUARTER) * QUARTER, ...free].sort((one, other) => Math.abs(one - row) - Math.abs(other - row));
    return kept(near[0]);
  };
  const isTaken = (column, row) => [...column.querySelectorAll("[data-length]:not(.free, .is-ghost, .is-lifted)")].some((part) => {
    const start = Number(part.dataset.row);
    return start < row + drag.length && start + Number(part.dataset.length) > row;
  });

  const follow = () => {
    const column = columnAt(drag.x) || drag.column || drag.visit.closest("[data-column]");
    const row = rowAt(column, drag.y, drag.isFine);
    if (column === drag.column && row === drag.row) return;
    Object.assign(drag, { column, row, start: Number(column.dataset.opens) + row * STEP });
    drag.ghost.style.gridRowStart = String(row + 1);
    drag.ghost.querySelector(".time").textContent = `${clock(drag.start)}–${clock(drag.start + drag.length * STEP)}`;
    drag.ghost.classList.toggle("is-taken", isTaken(column, row));
    const grid = column.querySelector("[data-grid]");
    if (drag.ghost.parentNode !== grid) grid.append(drag.ghost);
  };
  const scrollOn = () => {
    if (!drag?.isLifted) return;
    const scroll = desk.board.querySelector(".board-scroll");
    const box = scroll.getBoundingClientRect();
    const pull = (place, low, high) => (place < low + EDGE ? -1 : place > high - EDGE ? 1 : 0);
    const bottom = Math.min(box.bottom, innerHeight), head = box.top + 52;
    const [x, y] = [pull(drag.x, box.left + 56, box.right), pull(drag.y, head, bottom)];
    if (x || y) { scroll.scrollBy(x * 10, y * 10); follow(); }
    if (y && (scroll.scrollTop === 0 || scroll.scrollTop + scroll.clientHeight >= scroll.scrollHeight - 1)) window.scrollBy(0, y * 8);
    drag.frame = requestAnimationFrame(scrollOn);
  };

  const settle = () => {
    const ended = drag;
    drag = null;
    if (!ended) return null;
    cancelAnimationFrame(ended.frame);
    if (ended.isLifted) {
      document.documentElement.classList.remove("is-dragging");
      // the click that follows a drop opens nothing
      const swallow = (event) => { event.preventDefault(); event.stopPropagation(); };
      window.addEventListener("click", swallow, { capture: true, once: true });
      setTimeout(() => window.removeEventListener("click", swallow, { capture: true }), 0);
    }
    return ended;
  };
  const putBack = (ended) => {
    ended.ghost?.remove();
    ended.visit.classList.remove("is-lifted");
    desk.hold(false);
  };
  const leave = () => {
    const ended = settle();
    if (ended?.isLifted) { putBack(ended); desk.announce(desk.words.left); }
  };
  const drop = async () => {
    const ended = settle();
    if (!ended?.isLifted) return;
    const { visit, column } = ended;
    const specialist = column?.dataset.specialist;
    const isSame = !column || (ended.start === Number(visit.dataset.start) && column === visit.closest("[data-column]"));
    if (isSame) { putBack(ended); desk.announce(desk.words.left); return; }
    ended.ghost.classList.add("is-saving");
    const url = `${visit.dataset.card}move/`;
    const told = await desk.post(url, { version: visit.dataset.version, start: ended.start, specialist });
    if (!told.isDone) {
      putBack(ended);
      visit.classList.add("is-refused");
      desk.say(told.said, { isProblem: true });
      await desk.look();
      return;
    }
    desk.hold(false);
    await desk.look();
    ended.ghost.remove();
    desk.say(told.said, { back: told.undo && (() => desk.undo(url, told.undo)) });
  };

  desk.board.addEventListener("pointerdown", (event) => {
    const visit = event.target.closest("[data-id].is-movable");
    // a finger scrolls; it moves visits by their card
    if (!visit || drag || event.button || event.pointerType === "touch" || !visit.closest("[data-grid]").querySelector(".ground").offsetHeight) return;
    drag = { visit, x: event.clientX, y: event.clientY, from: [event.clientX, event.clientY] };
  });
  window.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.isLifted) {
      if (Math.hypot(event.clientX - drag.from[0], event.clientY - drag.from[1]) < FAR) return;
      lift(event);
    }
    Object.assign(drag, { x: event.clientX, y: event.clientY, isFine: event.shiftKey });
    follow();
  });
  window.addEventListener("pointerup", drop);
  window.addEventListener("pointercancel", leave);
  window.addEventListener("keydown", (event) => { if (event.key === "Escape" && drag) { event.preventDefault(); leave(); } }, true);
  desk.board.addEventListener("dragstart", (event) => event.preventDefault());

  // a click into free time begins there, at the quarter of an hour that was meant
  desk.board.addEventListener("click", (event) => {
    const link = event.target.closest("[data-add]");
    const free = link?.closest("[data-row]");
    if (!link || !event.detail || !free.offsetHeight) return;
    const box = free.getBoundingClientRect();
    const steps = Math.floor(((event.clientY - box.top) / box.height) * Number(free.dataset.length) / QUARTER) * QUARTER;
    if (steps <= 0 || getComputedStyle(free.parentNode).display !== "grid") return;
    const [date, wall] = new URL(link.href).searchParams.get("started_at").split("T");
    const [hour, minute] = wall.split(":").map(Number);
    const minutes = hour * 60 + minute + steps * 5;
    const address = new URL(link.href);
    address.searchParams.set("started_at", `${date}T${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`);
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) window.open(address, "_blank", "noopener");
    else location.assign(address);
  });
})();
