// Small comforts of the back office. Every page works without this file.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  const menu = document.querySelector(".menu-link");
  if (menu) {
    menu.setAttribute("role", "button");
    menu.setAttribute("aria-controls", "navigation");
    const show = (open) => { root.classList.toggle("menu-open", open); menu.setAttribute("aria-expanded", String(open)); };
    show(false);
    menu.addEventListener("click", (event) => { event.preventDefault(); show(!root.classList.contains("menu-open")); });
    menu.addEventListener("keydown", (event) => { if (event.key === " ") { event.preventDefault(); menu.click(); } });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && root.classList.contains("menu-open")) { show(false); menu.focus(); }
    });
  }

  for (const select of document.querySelectorAll("select[data-submits]")) {
    // a keyboard user passes through values with the arrow keys: go on leaving or Enter, at once with the pointer
    let before = select.value, byPointer = false;
    const go = () => { if (select.value !== before) { before = select.value; select.form.requestSubmit(); } };
    select.addEventListener("pointerdown", () => { byPointer = true; });
    select.addEventListener("keydown", (event) => { byPointer = false; if (event.key === "Enter") go(); });
    select.addEventListener("change", () => { if (byPointer) go(); });
    select.addEventListener("blur", go);
  }

  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.person[open]")) if (!open.contains(event.target)) open.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && document.querySelector("details.person[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
  });

  const all = document.getElementById("action-toggle");
  const boxes = [...document.querySelectorAll("input.action-select")];
  const counter = document.querySelector("[data-selected-count]");
  const count = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    if (all) { all.checked = ticked > 0 && ticked === boxes.length; all.indeterminate = ticked > 0 && ticked < boxes.length; }
    if (counter) { counter.hidden = ticked === 0; counter.textContent = `${ticked} / ${boxes.length}`; }
  };
  if (all) all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; count(); });
  for (const box of boxes) box.addEventListener("change", count);

  for (const set of document.querySelectorAll("[data-formset]")) {
    const prefix = set.dataset.formset;
    const total = set.querySelector(`[name="${prefix}-TOTAL_FORMS"]`);
    const template = set.querySelector("[data-template]");
    const add = set.querySelector("[data-add-row]");
    if (!template || !add || !total) continue;
    add.hidden = false;
    add.addEventListener("click", () => {
      const index = Number(total.value);
      const row = template.cloneNode(true);
      row.hidden = false;
      row.removeAttribute("data-template");
      for (const part of row.querySelectorAll("*")) {
        for (const name of ["id", "name", "for", "aria-label", "aria-describedby"]) {
          const value = part.getAttribute(name);
          if (value) part.setAttribute(name, value.replaceAll("__prefix__", index).replaceAll("__number__", index + 1));
        }
      }
      template.before(row);
      total.value = index + 1;
      row.querySelector("select, input:not([type=hidden])")?.focus();
    });
    set.addEventListener("click", (event) => {
      const button = event.target.closest("[data-remove-row]");
      if (!button) return;
      const row = button.closest("[data-row], tr");
      for (const part of row.querySelectorAll("input, select, textarea")) {
        if (part.name.endsWith("-DELETE")) part.checked = true;
        else if (part.type !== "hidden" && !row.querySelector('[name$="-DELETE"]')) part.value = "";
      }
      row.hidden = true;
      add.focus();
    });
  }

  window.addEventListener("pageshow", () => { for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent; });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault(); // a double click saves once
    form.dataset.sent = "1";
  });
})();
