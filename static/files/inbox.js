// Approvals in the browser: what is said and shown of them on every page, and the keys of their own pages.
// Every page works without it. It runs under the strict content security policy.
(() => {
  "use strict";

  const find = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  // What a browser remembers of its person's wishes. Without storage nothing is remembered.
  const memory = {
    get(name) {
      try {
        return localStorage.getItem(`tameflare-${name}`);
      } catch {
        return null;
      }
    },
    set(name, value) {
      try {
        localStorage.setItem(`tameflare-${name}`, value);
      } catch {
        // then it counts for this page
      }
    },
  };

  // For who does not see the page: one polite place, and what comes at once is said together.
  let pending = [];

  function say(text) {
    if (!find("#announced")) return;
    pending.push(text.replace(/\s+/g, " ").trim());
    if (pending.length > 1) return;
    setTimeout(() => {
      const place = find("#announced");
      if (place) place.textContent = pending.slice(0, 3).join(" ");
      pending = [];
    }, 100);
  }

  // The number of waiting approvals stands in the title, and as a dot in the icon.
  function title() {
    const count = find("[data-waiting]");
    if (!count) return;
    const n = count.textContent.trim();
    const bare = document.title.replace(/^\(\d+\+?\) /, "").replace(/^Approvals \(\d+\+?\)/, "Approvals");
    let next = bare;
    if (n && n !== "0") next = bare.startsWith("Approvals ·") ? bare.replace("Approvals", `Approvals (${n})`) : `(${n}) ${bare}`;
    if (document.title !== next) document.title = next;
    const icon = find("link[data-waiting-icon]");
    if (!icon) return;
    icon.dataset.plain ??= icon.getAttribute("href");
    const href = next === bare ? icon.dataset.plain : icon.dataset.waitingIcon;
    if (icon.getAttribute("href") !== href) icon.setAttribute("href", href);
  }

  // New approvals. The first list that comes is what there was; later ones are compared with it.
  let newest = null;
  let since = null;

  function arrive(items) {
    const fresh = since === null ? [] : items.filter((item) => item.dataset.at > since);
    since = items.reduce((last, item) => (item.dataset.at > last ? item.dataset.at : last), since ?? "");
    if (fresh.length === 0) return;
    const first = fresh.at(-1).textContent.trim();
    say(fresh.length === 1 ? `1 new approval: ${first}.` : `${fresh.length} new approvals, the first: ${first}.`);
    for (const item of fresh) notify(item);
  }

  function status() {
    const list = find("#newest");
    if (!list || list === newest) return;
    newest = list;
    arrive(all("li[data-at]", list));
  }

  // Desktop notifications: off until somebody presses the button, and then only in this browser.
  const canNotify = () => "Notification" in window;
  const notifies = () => canNotify() && Notification.permission === "granted" && memory.get("notify") === "on";

  function notify(item) {
    if (!notifies() || (!document.hidden && document.hasFocus())) return;
    const note = new Notification("An agent waits for you", { body: item.textContent.trim(), tag: item.dataset.id });
    note.addEventListener("click", () => {
      window.focus();
      location.assign(item.dataset.page);
      note.close();
    });
  }

  function notifyButton() {
    const button = find("[data-notify]");
    if (!button || !canNotify()) return;
    button.hidden = false;
    const on = notifies();
    button.setAttribute("aria-pressed", String(on));
    const blocked = Notification.permission === "denied";
    button.disabled = blocked;
    find("span", button).textContent = blocked ? "Notifications are blocked" : on ? "Notifications are on" : "Notify me";
  }

  async function toggleNotify() {
    if (notifies()) memory.set("notify", "off");
    else if ((await Notification.requestPermission()) === "granted") memory.set("notify", "on");
    notifyButton();
    say(notifies() ? "Notifications are on in this browser." : "Notifications are off.");
  }

  // A hidden tab hears nothing, so as not to use up connections. One of them listens where notifications are on.
  let release = null;

  function listen() {
    if (!document.hidden || !notifies() || release || !navigator.locks) return;
    navigator.locks.request("tameflare-listens", { ifAvailable: true }, (lock) => {
      if (!lock || !document.hidden) return undefined;
      const events = new EventSource("/events?topics=approvals");
      events.addEventListener("approvals", hear);
      return new Promise((resolve) => {
        release = () => {
          release = null;
          events.close();
          resolve();
        };
      });
    });
  }

  async function hear() {
    const answer = await fetch("/status", { headers: { "HX-Request": "true" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const count = find("[data-waiting]", page);
    if (count && find("#waiting")) find("#waiting").textContent = count.textContent;
    title();
    arrive(all("li[data-at]", page));
  }

  // Cards: what has come, what was settled, and where the keyboard was.
  const cards = () => all(".approval");
  const sentence = (card) => find("h2", card)?.textContent.trim() ?? "";
  const current = () => document.activeElement?.closest(".approval") ?? find("[data-alone] .approval");
  let before = null;

  function remember() {
    before = {
      states: new Map(cards().map((card) => [card.id, card.dataset.state])),
      focused: document.activeElement?.closest(".approval")?.id,
    };
  }

  function compare() {
    if (!before) return;
    for (const card of cards()) {
      const was = before.states.get(card.id);
      if (was === undefined && before.states.size > 0) card.dataset.new = "";
      if (was === "pending" && card.dataset.state !== "pending") {
        say(`${sentence(card)}: ${find("header .state", card)?.textContent ?? ""} ${find("header .end", card)?.textContent ?? ""}.`);
      }
    }
    if (before.focused && document.activeElement === document.body) document.getElementById(before.focused)?.focus({ preventScroll: true });
    before = null;
    several();
  }

  // Time: said once a minute on an approval's own page, and everywhere before it is over.
  const warned = new Set();
  let said = Date.now();

  function countdown() {
    const now = Date.now();
    for (const card of all('.approval[data-state="pending"]')) {
      const left = Date.parse(find("progress", card)?.dataset.until) - now;
      card.toggleAttribute("data-soon", left < 60000);
      if (left > 0 && left < 60000 && !warned.has(card.id)) {
        warned.add(card.id);
        said = now;
        say(`Less than a minute left: ${sentence(card)}.`);
      }
      if (left >= 60000 && now - said >= 60000 && card.closest("[data-alone]")) {
        said = now;
        const minutes = Math.round(left / 60000);
        say(minutes === 1 ? "1 minute left to answer." : `${minutes} minutes left to answer.`);
      }
    }
  }

  // Several at once: of one gateway and one action, at most 20.
  const most = 20;

  function several() {
    const form = find("#several");
    if (!form) return;
    const boxes = all('.approval input[name="id"]');
    const chosen = boxes.filter((box) => box.checked);
    for (const box of boxes) {
      box.disabled = !box.checked && chosen.length > 0 && (box.dataset.like !== chosen[0].dataset.like || chosen.length >= most);
    }
    find("[data-chosen]", form).textContent = chosen.length === 1 ? "1 request chosen" : `${chosen.length} requests chosen`;
    const more = find("[data-like-all]", form);
    more.hidden = !boxes.some((box) => !box.checked && !box.disabled);
  }

  function chooseAlike() {
    for (const box of all('.approval input[name="id"]')) {
      if (!box.checked && !box.disabled) {
        box.checked = true;
        several();
      }
    }
  }

  // Keys. None counts while somebody types, and one switch turns all of them off.
  const keysOn = () => memory.get("keys") !== "off";
  const typing = (element) => element.closest('input:not([type="checkbox"]), textarea, select, [contenteditable]');

  function step(by) {
    const list = cards();
    if (list.length === 0) return;
    const at = list.indexOf(document.activeElement?.closest(".approval"));
    const next = list[at < 0 ? 0 : Math.min(Math.max(at + by, 0), list.length - 1)];
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  function approve(card) {
    const button = find('.decide button[value="approve"]', card);
    const password = find('.decide input[type="password"]', card);
    if (!button) {
      const why = find(".refused", card);
      if (why) say(why.textContent);
      return;
    }
    if (password && !password.value) password.focus();
    else if (["high", "critical"].includes(card.dataset.risk)) button.focus();
    else button.click();
  }

  const reason = (card) => find('.decide input[name="reason"]', card)?.focus();

  const keys = {
    j: () => step(1),
    k: () => step(-1),
    a: (card) => card && approve(card),
    d: (card) => card && reason(card),
    r: (card) => card && reason(card),
    o: (card) => card && location.assign(card.dataset.page),
    x: (card) => card && find('input[name="id"]', card)?.click(),
    "/": () => find("[data-search]")?.focus(),
    "?": () => find("#keys")?.showModal(),
  };

  function press(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !find(".approvals")) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest("dialog")) return;
    if (typing(target)) {
      const card = target.closest(".approval");
      if (event.key === "Escape") (card ?? cards()[0])?.focus();
      // In a form with a password the Enter key decides only what was meant where it is pressed.
      if (event.key === "Enter" && card && find('.decide input[type="password"]', card)) {
        event.preventDefault();
        find(`.decide button[value="${target.type === "password" ? "approve" : "deny"}"]`, card)?.click();
      }
      return;
    }
    const act = keys[event.key];
    if (!act || !keysOn() || event.repeat && event.key !== "j" && event.key !== "k") return;
    event.preventDefault();
    act(current());
  }

  document.addEventListener("keydown", press);
  document.addEventListener("change", (event) => {
    if (event.target.matches('.approval input[name="id"]')) several();
    if (event.target.matches("[data-keys-on]")) memory.set("keys", event.target.checked ? "on" : "off");
  });
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest("[data-keys-help]")) find("#keys")?.showModal();
    if (target.closest("[data-notify]")) toggleNotify();
    if (target.closest("[data-like-all]")) chooseAlike();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) listen();
    else release?.();
  });
  document.addEventListener("htmx:before:swap", () => {
    if (!before) remember();
  });
  document.addEventListener("htmx:after:swap", () => {
    compare();
    title();
    status();
  });

  // The script is deferred, so the page is there.
  newest = find("#newest");
  title();
  notifyButton();
  several();
  const help = find("[data-keys-help]");
  if (help) {
    help.hidden = false;
    find("[data-keys-on]").checked = keysOn();
  }
  setInterval(countdown, 1000);
})();
