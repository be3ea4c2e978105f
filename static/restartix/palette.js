// The palette: Ctrl-K on any page, a few letters, Enter. A combobox over a listbox (WAI-ARIA, list autocomplete).
"use strict";
(() => {
  const dialog = document.querySelector("[data-palette]");
  const opener = document.querySelector("[data-palette-open]");
  if (!dialog || !opener || !dialog.showModal) return;
  const input = dialog.querySelector("[role=combobox]");
  const list = dialog.querySelector("[role=listbox]");
  const note = dialog.querySelector("[data-palette-note]");
  const PAUSE = 120; // milliseconds without a key before the server is asked
  let options = [], active = -1, timer = 0, asking = null;
  let stale = false, hurried = false; // what is shown is not yet what was typed; Enter was pressed meanwhile

  opener.hidden = false;
  const open = () => { if (!dialog.open) { dialog.showModal(); input.select(); ask(); } };
  opener.addEventListener("click", open);
  dialog.querySelector("[data-palette-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => { asking?.abort(); clearTimeout(timer); hurried = false; });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (dialog.open) dialog.close(); else open();
    }
  });

  const mark = (place) => {
    options[active]?.setAttribute("aria-selected", "false");
    active = options.length ? (place + options.length) % options.length : -1;
    if (active < 0) { input.removeAttribute("aria-activedescendant"); return; }
    options[active].setAttribute("aria-selected", "true");
    options[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[active].id);
  };
  const follow = (option, elsewhere) => {
    if (!option) return;
    if (elsewhere) window.open(option.dataset.url, "_blank", "noopener");
    else { dialog.close(); location.assign(option.dataset.url); }
  };

  const element = (name, attributes, text) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    return made;
  };
  const show = (answer) => {
    options = [];
    list.replaceChildren(...answer.groups.map((group, place) => {
      const name = `palette-group-${place}`;
      const part = element("div", { role: "group", "aria-labelledby": name });
      part.append(element("div", { class: "palette-group", id: name, role: "presentation" }, group.label));
      for (const item of group.items) {
        const option = element("div", {
          role: "option", id: `palette-option-${options.length}`, class: "palette-option", "aria-selected": "false",
        });
        option.append(element("b", {}, item.label));
        if (item.detail) option.append(" ", element("span", {}, item.detail));
        option.dataset.url = item.url;
        options.push(option);
        part.append(option);
      }
      return part;
    }));
    input.setAttribute("aria-expanded", String(options.length > 0));
    active = -1;
    mark(0);
    const many = options.length === 1 ? dialog.dataset.one : dialog.dataset.many.replace("{count}", options.length);
    note.textContent = options.length ? many : dialog.dataset.nothing;
    stale = false;
    if (hurried) { hurried = false; follow(options[active]); }
  };

  const ask = async () => {
    asking?.abort();
    const mine = asking = new AbortController();
    dialog.setAttribute("aria-busy", "true");
    try {
      const address = `${dialog.dataset.url}?q=${encodeURIComponent(input.value.trim())}`;
      const answer = await fetch(address, { headers: { Accept: "application/json" }, signal: mine.signal });
      if (answer.redirected) { location.reload(); return; } // signed out meanwhile
      if (!answer.ok) throw new Error(String(answer.status));
      const told = await answer.json();
      if (mine === asking) show(told);
    } catch (problem) {
      if (problem.name !== "AbortError" && mine === asking) note.textContent = dialog.dataset.failed;
    } finally {
      if (mine === asking) dialog.removeAttribute("aria-busy");
    }
  };

  input.addEventListener("input", () => { stale = true; hurried = false; clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
  input.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: active + 1, ArrowUp: active - 1 };
    if (event.ctrlKey && event.key === "Home") steps.Home = 0;
    if (event.ctrlKey && event.key === "End") steps.End = options.length - 1;
    if (event.key in steps) { event.preventDefault(); mark(steps[event.key]); }
    else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (stale) hurried = true; else follow(options[active], event.ctrlKey || event.metaKey);
    }
  });
  list.addEventListener("pointermove", (event) => {
    const place = options.indexOf(event.target.closest("[role=option]"));
    if (place >= 0 && place !== active) mark(place);
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
  list.addEventListener("click", (event) => follow(event.target.closest("[role=option]"), event.ctrlKey || event.metaKey));
})();
