// The patient of a new visit: a few letters, a choice. A combobox over a listbox; without this file the server asks.
"use strict";
(() => {
  const part = document.querySelector("[data-pick]");
  const input = part?.querySelector("#id_who");
  if (!part || !input) return;
  const list = part.querySelector("[role=listbox]");
  const note = part.querySelector("[data-pick-note]");
  const newcomer = part.querySelector("details.newcomer");
  const PAUSE = 120; // milliseconds without a key before the server is asked
  let options = [], active = -1, timer = 0, asking = null;
  let stale = false, hurried = false; // what is shown is not yet what was typed; Enter was pressed meanwhile

  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
  })) input.setAttribute(name, value);
  list.setAttribute("aria-label", part.querySelector("h2").textContent);

  // the choice is one hidden value; radio buttons of an earlier answer stand in for it until something is typed
  const choose = (value) => {
    part.querySelector(".candidates")?.remove();
    let choice = part.querySelector("input[type=hidden][name=patient_choice]");
    if (!choice) {
      choice = Object.assign(document.createElement("input"), { type: "hidden", name: "patient_choice" });
      part.append(choice);
    }
    choice.value = value;
  };
  const close = () => {
    list.hidden = true;
    list.replaceChildren();
    options = [];
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (place) => {
    options[active]?.setAttribute("aria-selected", "false");
    active = options.length ? (place + options.length) % options.length : -1;
    if (active < 0) return;
    options[active].setAttribute("aria-selected", "true");
    options[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[active].id);
  };
  const take = (option) => {
    if (!option) return;
    clearTimeout(timer);
    asking?.abort();
    const name = part.querySelector("[name=new_name]");
    if (option.dataset.id) {
      choose(option.dataset.id);
      input.value = option.dataset.name;
      name.value = "";
      newcomer.open = false;
      input.form.querySelector("[name=_save]").focus();
    } else {
      choose("");
      name.value = option.dataset.name;
      input.value = "";
      newcomer.open = true;
      part.querySelector("[name=new_phone]").focus();
    }
    close();
  };
  const option = (label, detail, data) => {
    const made = document.createElement("div");
    made.className = "pick-option";
    made.id = `pick-option-${options.length}`;
    made.setAttribute("role", "option");
    made.setAttribute("aria-selected", "false");
    const name = document.createElement("b");
    name.textContent = label;
    made.append(name);
    if (detail) {
      const more = document.createElement("span");
      more.textContent = detail;
      made.append(" ", more);
    }
    Object.assign(made.dataset, data);
    options.push(made);
    return made;
  };
  const show = (answer) => {
    options = [];
    active = -1;
    const rows = answer.patients.map((each) => option(each.name, each.detail, { id: each.id, name: each.name }));
    const many = rows.length === 1 ? part.dataset.one : part.dataset.many.replace("{count}", rows.length);
    note.textContent = rows.length ? many : part.dataset.nothing;
    rows.push(option(part.dataset.new.replace("{name}", answer.q), "", { name: answer.q }));
    list.replaceChildren(...rows);
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(0);
    stale = false;
    if (hurried && answer.patients.length < 2) take(options[0]); // of several nobody is chosen unseen
    hurried = false;
  };
  const ask = async () => {
    asking?.abort();
    const text = input.value.trim();
    if (text.length < 2) { close(); return; }
    const mine = asking = new AbortController();
    try {
      const address = `${part.dataset.url}?q=${encodeURIComponent(text)}`;
      const answer = await fetch(address, { headers: { Accept: "application/json" }, signal: mine.signal });
      if (answer.redirected) { location.reload(); return; } // signed out meanwhile
      if (!answer.ok) throw new Error(String(answer.status));
      const told = await answer.json();
      if (mine === asking) show(told);
    } catch (problem) {
      if (problem.name !== "AbortError" && mine === asking) { stale = hurried = false; close(); note.textContent = part.dataset.failed; }
    }
  };

  input.addEventListener("input", () => { stale = true; hurried = false; choose(""); clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
  input.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: active + 1, ArrowUp: active - 1 };
    if (event.key in steps) {
      event.preventDefault();
      if (list.hidden) ask(); else mark(steps[event.key]);
    } else if (event.key === "Enter" && !event.isComposing && (stale ? input.value.trim().length > 1 : !list.hidden)) {
      event.preventDefault();
      if (stale) hurried = true; else take(options[active]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    }
  });
  input.addEventListener("blur", close);
  list.addEventListener("pointermove", (event) => {
    const place = options.indexOf(event.target.closest("[role=option]"));
    if (place >= 0 && place !== active) mark(place);
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
  list.addEventListener("click", (event) => take(event.target.closest("[role=option]")));

  // somebody who types fast is ahead of this file
  const choice = part.querySelector("input[type=hidden][name=patient_choice]");
  if (document.activeElement === input && input.value.trim() && choice && !choice.value) { stale = true; ask(); }

  // a start that was changed by hand is no longer the instant that the link meant; another service has its own length
  const exactly = document.getElementById("id_exactly");
  document.getElementById("id_started_at")?.addEventListener("input", () => { if (exactly) exactly.value = ""; });
})();
