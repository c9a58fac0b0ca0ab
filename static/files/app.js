// The dashboard's own script: small things that HTML and htmx do not do. Every page works without it.
// No inline handlers, no eval: it runs under the strict content security policy.
(() => {
  "use strict";

  const root = document.documentElement;

  // Theme. The server puts the class of the cookie on <html>; here it changes without a reload.
  const themes = ["system", "light", "dark"];
  const theme = () => (root.classList.contains("dark") ? "dark" : root.classList.contains("light") ? "light" : "system");

  function setTheme(next) {
    root.classList.remove("light", "dark");
    if (next !== "system") root.classList.add(next);
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${next}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    for (const button of document.querySelectorAll("[data-theme-toggle]")) button.title = `Theme: ${next}`;
  }

  // Times. <time datetime data-ago> says how long ago, <time datetime data-left> how long yet,
  // and <progress data-until data-from> beside it runs empty.
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" });
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

  function ago(seconds) {
    for (const [unit, size] of units) {
      if (Math.abs(seconds) >= size || size === 1) return relative.format(-Math.trunc(seconds / size), unit);
    }
    return "";
  }

  function left(seconds) {
    const s = Math.max(0, Math.ceil(seconds));
    const two = (n) => String(n).padStart(2, "0");
    if (s >= 3600) return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
    return `${Math.floor(s / 60)}:${two(s % 60)}`;
  }

  function tick() {
    const now = Date.now();
    for (const time of document.querySelectorAll("time[datetime]")) {
      const at = Date.parse(time.dateTime);
      if (Number.isNaN(at)) continue;
      if (!time.title) time.title = new Date(at).toLocaleString();
      let text = null;
      if ("ago" in time.dataset) text = ago((now - at) / 1000);
      else if ("left" in time.dataset) text = left((at - now) / 1000);
      else if ("clock" in time.dataset) text = new Date(at).toLocaleTimeString([], { hour12: false });
      if (text !== null && time.textContent !== text) time.textContent = text;
    }
    for (const bar of document.querySelectorAll("progress[data-until]")) {
      const until = Date.parse(bar.dataset.until);
      const from = Date.parse(bar.dataset.from);
      if (Number.isNaN(until) || Number.isNaN(from) || until <= from) continue;
      bar.max = until - from;
      bar.value = Math.max(0, until - now);
      bar.toggleAttribute("data-soon", until - now < 60000);
    }
  }

  // Copying. <button class="copy" data-copy="#id"> copies that element's text.
  function ready() {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll(".copy:not([data-ready])")) button.dataset.ready = "";
  }

  async function copy(button) {
    const from = button.dataset.copy ? document.querySelector(button.dataset.copy) : button.parentElement.querySelector("pre");
    if (!from) return;
    await navigator.clipboard.writeText(from.textContent.trim());
    const label = button.getAttribute("aria-label");
    button.setAttribute("aria-label", "Copied");
    button.dataset.copied = "";
    setTimeout(() => {
      button.setAttribute("aria-label", label ?? "Copy");
      delete button.dataset.copied;
    }, 1500);
  }

  // The stream's state, shown wherever .live[data-stream] is: live, waiting (for it to come back), paused (hidden tab).
  const words = { live: "Live", waiting: "Reconnecting", paused: "Paused" };

  function stream(state) {
    for (const mark of document.querySelectorAll(".live[data-stream]")) {
      mark.dataset.state = state;
      mark.textContent = words[state];
    }
  }

  // A request that got no answer at all: say so where answers appear, once.
  function unreachable() {
    const place = document.getElementById("notices");
    if (!place || document.getElementById("unreachable")) return;
    const notice = document.createElement("div");
    notice.id = "unreachable";
    notice.className = "notice";
    notice.dataset.kind = "warning";
    notice.setAttribute("role", "alert");
    const text = document.createElement("div");
    text.textContent = "The server cannot be reached. Nothing was changed; try again in a moment.";
    const close = document.createElement("button");
    close.className = "link";
    close.dataset.dismiss = "";
    close.textContent = "Close";
    notice.append(text, close);
    place.append(notice);
  }

  // What is decided elsewhere, what comes and what is read later move the buttons below. What has just moved
  // under a pointer does not take its click: it was meant for what was there. The keyboard aims at one button.
  let places = new Map();
  let moved = -Infinity;
  const answers = () => [...document.querySelectorAll(".decide")];
  const place = (form) => Math.round(form.getBoundingClientRect().top);

  function remember() {
    places = new Map(answers().map((form) => [form, place(form)]));
  }

  function compare() {
    if (answers().some((form) => places.has(form) && places.get(form) !== place(form))) moved = performance.now();
    places = new Map();
  }

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest(".decide button") : null;
    if (!button || event.detail === 0 || performance.now() - moved > 300) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  function settle() {
    ready();
    tick();
  }

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("[data-theme-toggle]")) {
      event.preventDefault();
      setTheme(themes[(themes.indexOf(theme()) + 1) % themes.length]);
    }
    const button = target?.closest(".copy");
    if (button) copy(button);
    target?.closest("[data-dismiss]")?.closest(".notice, .banner")?.remove();
  });

  // A select that filters sends its form at once; without the script there is the button.
  document.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement) event.target.closest("form[data-auto]")?.requestSubmit();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    if (event.target instanceof Element && event.target.closest("input, textarea, select, dialog, [popover]")) return;
    document.querySelector(".panel [data-close]")?.click();
  });

  document.addEventListener("htmx:sse:after:connection", () => stream("live"));
  document.addEventListener("htmx:sse:before:connection", (event) => {
    if ((event.detail?.connection?.attempt ?? 0) > 0) stream("waiting");
  });
  document.addEventListener("htmx:sse:error", () => stream("waiting"));
  document.addEventListener("htmx:sse:close", () => stream("waiting"));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stream("paused");
  });
  // htmx:error is also an answer that could not be swapped; only a failed fetch is a TypeError.
  document.addEventListener("htmx:error", (event) => {
    if (event.detail?.error instanceof TypeError) unreachable();
  });
  document.addEventListener("htmx:before:swap", remember);
  document.addEventListener("htmx:after:swap", () => {
    compare();
    settle();
  });
  document.addEventListener("DOMContentLoaded", () => {
    settle();
    setInterval(tick, 1000);
  });
})();
