// A visit on the board: Enter or a click opens its card, M opens it at "Move"; acts stay on the page.
"use strict";
(() => {
  const desk = window.restartixBoard;
  const card = document.querySelector("[data-visit-card]");
  if (!desk || !card || !card.showModal) return;
  let from = ""; // the visit whose card is open; the board may be shown anew meanwhile

  const mark = () => {
    for (const link of desk.board.querySelectorAll("[data-id] > a")) {
      link.setAttribute("aria-haspopup", "dialog");
      link.setAttribute("aria-keyshortcuts", "M");
    }
  };
  const open = async (visit, part) => {
    from = visit.querySelector("a").id;
    visit.classList.add("is-asked");
    try {
      const answer = await fetch(`${visit.dataset.card}?next=${encodeURIComponent(location.pathname + location.search)}`, { redirect: "error", signal: AbortSignal.timeout(10000) });
      if (!answer.ok) { desk.say(answer.status === 404 ? card.dataset.gone : card.dataset.failed, { isProblem: true }); desk.look(); return; }
      card.innerHTML = await answer.text();
    } catch { desk.say(card.dataset.failed, { isProblem: true }); return; } finally { visit.classList.remove("is-asked"); }
    card.showModal();
    (part && card.querySelector(part) || card.querySelector(".card-acts .button, .card-acts button, [data-card-close]")).focus();
  };
  card.addEventListener("close", () => { card.replaceChildren(); document.getElementById(from)?.focus({ preventScroll: true }); });
  card.addEventListener("click", (event) => {
    if (event.target === card || event.target.closest("[data-card-close]")) card.close();
  });

  desk.board.addEventListener("click", (event) => {
    const visit = event.target.closest("[data-id]");
    if (!visit || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    open(visit);
  });
  desk.board.addEventListener("keydown", (event) => {
    const visit = event.target.closest("[data-id]");
    if (!visit || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.toLowerCase() === "m") { event.preventDefault(); open(visit, "#card-time"); }
    const next = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (next) {
      const visits = [...visit.closest("[data-column]").querySelectorAll("[data-id] > a")];
      const beside = visits[visits.indexOf(visit.querySelector("a")) + next];
      if (beside) { event.preventDefault(); beside.focus(); }
    }
  });

  card.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-act]")) return;
    event.preventDefault();
    const pressed = form.querySelector("[type=submit]");
    if (pressed.getAttribute("aria-disabled") === "true") return;
    pressed.setAttribute("aria-disabled", "true");
    const told = await desk.post(form.action, new FormData(form));
    pressed.removeAttribute("aria-disabled");
    delete form.dataset.sent;
    if (!told.isDone) {
      const problem = card.querySelector("[data-problem]");
      problem.textContent = told.said;
      problem.scrollIntoView({ block: "nearest" });
      desk.look();
      return;
    }
    const back = told.undo ? form.action : null;
    await desk.look();
    card.close();
    desk.say(told.said, { back: back && (() => desk.undo(back, told.undo)) });
  });

  desk.undo = async (url, where) => {
    const told = await desk.post(url, where);
    desk.say(told.said, { isProblem: !told.isDone });
    desk.look();
  };
  desk.board.addEventListener("board:shown", mark);
  mark();
})();
