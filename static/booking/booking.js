// The booking page works without this script. With it, times that others take turn grey at once, the visitor's own
// time counts down, the calendar answers to arrow keys, and a visitor elsewhere sees two clocks.
"use strict";
(() => {
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const page = document.documentElement;
  const clinicZone = document.body.dataset.zone;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || clinicZone;
  page.classList.add("js");

  const kept = { // in this tab only, where the browser allows it
    get(key) { try { return sessionStorage.getItem(key); } catch { return ""; } },
    set(key, value) { try { sessionStorage.setItem(key, value); } catch { /* not allowed */ } },
  };
  const say = (text) => { one("#said").textContent = text; };
  const note = (place, name, text) => {
    const small = document.createElement("small");
    small.className = name;
    small.textContent = text;
    place.append(" ", small);
  };

  // In a frame: tell the clinic's page how high this one is, and that a new step begins at its top.
  if (parent !== window) {
    page.classList.add("framed");
    const tell = (message) => parent.postMessage({ restartix: message }, "*");
    new ResizeObserver(() => tell(Math.ceil(document.body.getBoundingClientRect().height))).observe(document.body);
    tell("top");
  }

  // Two clocks where the visitor's differs from the clinic's.
  const elsewhere = (moment) => {
    const [here, there] = [zone, clinicZone].map((timeZone) => [
      moment.toLocaleDateString(page.lang, { timeZone, weekday: "short" }) + " ",
      moment.toLocaleTimeString(page.lang, { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
    ]);
    if (here[0] === there[0]) here[0] = "";
    return here[0] || here[1] !== there[1] ? here.join("") + " " + zone.split("/").pop().replaceAll("_", " ") : "";
  };

  const prepare = () => {
    for (const input of all("input[name=zone]")) input.value = zone;
    for (const input of all("input[name=client]")) {
      if (!kept.get("client") && crypto.randomUUID) kept.set("client", crypto.randomUUID());
      input.value = kept.get("client") || "";
    }
    for (const place of all("[data-start]")) {
      const text = elsewhere(new Date(place.dataset.start));
      if (text && !one(".there", place)) note(place, "there", text);
    }
    const days = all(".month td a");
    if (!days.length) return;
    for (const day of days) day.tabIndex = -1;
    (days.find((day) => day.ariaCurrent) || days[0]).tabIndex = 0;
    one(".month table").role = "grid";
  };

  // An event stream that is asked again later when the browser has given up on it; meanwhile `otherwise` is done.
  const listen = (address, handlers, seconds, otherwise) => {
    let source, timer;
    const open = () => {
      source = new EventSource(address);
      source.onopen = () => { clearInterval(timer); timer = 0; };
      source.onerror = () => {
        if (source.readyState !== EventSource.CLOSED || timer) return;
        let turns = 0;
        timer = setInterval(() => {
          otherwise();
          if (++turns * seconds % 60 === 0 && source.readyState === EventSource.CLOSED) open();
        }, seconds * 1000);
      };
      for (const [name, handler] of Object.entries(handlers)) {
        source.addEventListener(name, (event) => handler(JSON.parse(event.data)));
      }
    };
    open();
    return () => { source.close(); clearInterval(timer); };
  };

  // Choosing a time.
  const times = one("#times");
  const taken = [];
  const occupies = times && times.dataset.occupies * 60000;

  const grey = () => {
    for (const button of all("button[data-by]")) {
      const from = Date.parse(button.value), until = from + occupies;
      const free = button.dataset.by.split(" ").some((id) =>
        !taken.some((claim) => claim.id === id && claim.from < until && claim.until > from));
      if (free !== (button.ariaDisabled === "true")) continue;
      one(".taken", button)?.remove();
      button.ariaDisabled = free ? null : "true";
      if (!free) note(button, "taken", times.dataset.taken);
      if (!free && button === document.activeElement) say(times.dataset.gone);
    }
  };

  const show = async (address, focus) => {
    let fresh;
    try {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(answer.status);
      fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      if (focus) location.assign(address);
      return;
    }
    const active = document.activeElement;
    const mark = ["value", "data-day", "data-key"].map((name) => [name, active.getAttribute(name)]).find((pair) => pair[1]);
    one("#swap").replaceWith(one("#swap", fresh));
    document.title = fresh.title;
    taken.length = 0;
    prepare();
    if (focus) history.pushState(null, "", address);
    if (focus === "month") say(one("#month-title").textContent);
    const target = (mark && focus !== "list" && one(`#swap [${mark[0]}="${CSS.escape(mark[1])}"]`))
      || (focus === "month" && one(".month td a[tabindex='0']")) || (focus && one("#list-title"));
    if (target) target.focus();
  };

  let waiting;
  const refresh = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => show(location.href), 400 + Math.random() * 1600);
  };

  const slot = ({ specialist_id, start, end, state }) => {
    const claim = { id: String(specialist_id), from: Date.parse(start), until: Date.parse(end) };
    if (state === "taken") taken.push(claim);
    else {
      const known = taken.findIndex((other) => other.id === claim.id && other.from === claim.from);
      if (known < 0) return refresh();
      taken.splice(known, 1);
    }
    grey();
  };

  const arrows = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
  const walk = (event) => {
    const day = event.target.closest(".month td a");
    if (!day) return;
    const days = all(".month td a"), week = all("a", day.closest("tr")), here = days.indexOf(day), step = arrows[event.key];
    const at = (other) => Date.parse(other.dataset.day), wish = at(day) + step * 864e5;
    const next = {
      Home: week[0], End: week.at(-1), PageUp: one("[data-key=before]"), PageDown: one("[data-key=after]"),
    }[event.key] || (step > 0 ? days.slice(here).find((other) => at(other) >= wish)
      : step < 0 && days.slice(0, here).findLast((other) => at(other) <= wish));
    if (!next) return;
    event.preventDefault();
    if (next.dataset.key) return next.click();
    day.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  };

  if (times) {
    times.addEventListener("click", (event) => {
      const link = event.target.closest("a.swap"), button = event.target.closest("button[aria-disabled]");
      if (button) {
        event.preventDefault();
        say(times.dataset.gone);
      }
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      show(link.href, link.dataset.key ? "month" : "list");
    });
    times.addEventListener("keydown", walk);
    addEventListener("popstate", () => show(location.href));
    if (times.dataset.here) history.replaceState(null, "", times.dataset.here);
    const close = listen(times.dataset.stream, { slot }, 20, () => show(location.href));
    times.addEventListener("submit", close);
  }

  // Whoever goes back has given up the time that was kept.
  const details = one("#details");
  if (!details) {
    addEventListener("pageshow", (event) => {
      const hold = kept.get("hold");
      kept.set("hold", "");
      if (hold) fetch(hold, { method: "DELETE", keepalive: true }).finally(() => times && show(location.href));
      else if (event.persisted) location.reload();
    });
  }

  // Keeping the time while the details are typed.
  if (details) {
    const { stream, now, last, back } = details.dataset;
    const token = "?token=" + encodeURIComponent(details.elements.token.value);
    const skew = Date.parse(now) - Date.now();
    const left = () => Date.parse(last) - Date.now() - skew;
    const marks = [5, 2, 1];
    let warned = marks.findLast((minutes) => left() <= minutes * 6e4) || 99;
    let close, ticking;

    const over = () => {
      if (!one("#over").hidden) return;
      clearInterval(ticking);
      close();
      kept.set("hold", "");
      one(".kept").hidden = one("#other").hidden = true;
      one("#book").disabled = true;
      one("#over").hidden = false;
      one("#over").focus();
    };
    const tick = () => {
      const seconds = Math.max(0, Math.round(left() / 1000));
      one("#left").textContent = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
      const due = marks.find((minutes) => seconds <= minutes * 60 && minutes < warned && seconds > (minutes - 1) * 60);
      if (due) say(details.getAttribute("data-say-" + (warned = due)));
      if (left() < -2000) over();
    };
    const renew = async () => {
      const answer = await fetch(stream + token, { method: "PATCH" }).catch(() => null);
      if (answer && [404, 410].includes(answer.status)) over();
    };

    // A reload goes back to the times instead of asking whether to send the form again.
    history.replaceState(null, "", back);
    kept.set("hold", stream + token);
    one(".kept .plain").hidden = true;
    one(".kept .live").hidden = false;
    close = listen(stream + "/stream" + token, { expired: over, released: over }, 10, renew);
    ticking = setInterval(tick, 1000);
    tick();
    for (const form of all("form")) form.addEventListener("submit", () => kept.set("hold", ""));
  }

  prepare();
})();
