// What makes pages nicer everywhere: ages that go on, copying, dialogs, the theme at once, rows to
// click, charts that tell their numbers. Every page works without it.
(() => {
  "use strict";
  const root = document.documentElement;
  const lang = root.lang;
  const zh = lang.startsWith("zh");
  root.classList.add("js");

  // Ages go on while the page stands open.
  function ages() {
    const now = Date.now();
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const seconds = Math.round((now - new Date(time.dateTime).getTime()) / 1000);
      if (Number.isNaN(seconds)) continue;
      const size = Math.abs(seconds);
      const steps = zh
        ? [[86400, " 天"], [3600, " 小时"], [60, " 分"], [1, " 秒"]]
        : [[86400, " d"], [3600, " h"], [60, " min"], [1, " s"]];
      const [step, unit] = steps.find(([length]) => size >= length) || steps[3];
      const words = `${Math.floor(size / step)}${unit}`;
      if (size < 1) time.textContent = zh ? "刚刚" : "now";
      else if (seconds > 0) time.textContent = zh ? `${words}前` : `${words} ago`;
      else time.textContent = zh ? `${words}后` : `in ${words}`;
    }
  }

  // A notice at the edge; `good` ones go by themselves.
  function toast(text, good) {
    let box = document.querySelector(".toasts");
    if (!box) {
      box = document.createElement("div");
      box.className = "toasts";
      box.setAttribute("role", "status");
      document.getElementById("content").append(box);
    }
    const note = document.createElement("p");
    note.className = `toast ${good ? "toast-good" : "toast-bad"}`;
    note.textContent = text;
    box.append(note);
  }

  // Says something to those who do not see it change.
  function announce(text) {
    let place = document.querySelector(".announced");
    if (!place) {
      place = document.createElement("p");
      place.className = "announced visually-hidden";
      place.setAttribute("role", "status");
      document.getElementById("content").append(place);
    }
    place.textContent = "";
    // The same words twice are two sayings.
    setTimeout(() => { place.textContent = text; }, 50);
  }

  async function copy(button, text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // No clipboard without TLS: select through a field of our own.
      const field = document.createElement("textarea");
      field.value = text;
      button.after(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      button.focus();
    }
    const label = button.querySelector("span");
    const before = label.textContent;
    label.textContent = document.body.dataset.copied;
    announce(document.body.dataset.copied);
    setTimeout(() => { label.textContent = before; }, 1600);
  }

  function openDialog(id, opener) {
    const dialog = document.getElementById(id);
    if (!dialog || typeof dialog.showModal !== "function") return false;
    // A menu closes first and gives the focus back to its button, and so does the dialog then.
    const menu = opener && opener.closest("[popover]");
    if (menu && typeof menu.hidePopover === "function") menu.hidePopover();
    if (dialog.open) dialog.close();
    dialog.showModal();
    const field = dialog.querySelector("[aria-invalid], input:not([type=hidden], [hidden]), select, textarea");
    if (field) field.focus();
    return true;
  }

  // The theme changes at once; the server hears of it behind the scenes.
  async function switchTheme(button) {
    const form = button.form;
    const order = ["system", "light", "dark"];
    root.dataset.theme = button.value;
    const body = new URLSearchParams(new FormData(form));
    body.set("theme", button.value);
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
    if (!answer || (!answer.ok && answer.type !== "opaqueredirect")) return false;
    button.value = order[(order.indexOf(button.value) + 1) % order.length];
    return true;
  }

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    const copier = target.closest("button[data-copy], button[data-copy-code]");
    // Code to paste stands beside its button once, and not in it again.
    if (copier) return void copy(copier, copier.dataset.copy ?? copier.parentElement.querySelector("code").textContent);
    const opener = target.closest("[data-dialog]");
    if (opener && openDialog(opener.dataset.dialog, opener)) return void event.preventDefault();
    const closer = target.closest("[data-close]");
    const dialog = target.closest("dialog");
    if (closer && dialog && dialog.open) {
      event.preventDefault();
      return void dialog.close();
    }
    // A click on the veil around a dialog closes it.
    if (dialog && target === dialog) {
      const box = dialog.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right
        && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside) dialog.close();
      return;
    }
    const theme = target.closest("button[name=theme]");
    if (theme) {
      event.preventDefault();
      return void switchTheme(theme);
    }
    for (const open of document.querySelectorAll("details.who[open]")) {
      if (!open.contains(target)) open.open = false;
    }
    if (target.closest(".toast")) return void target.closest(".toast").remove();
    // The whole row opens what its first link opens.
    const row = target.closest(".table-rows tbody tr");
    if (!row || target.closest("a, button, input, select, label, form")) return;
    if (String(window.getSelection())) return;
    const link = row.querySelector(".row-link");
    if (!link) return;
    if (event.metaKey || event.ctrlKey) window.open(link.href, "_blank", "noopener");
    else link.click();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const open of document.querySelectorAll("details.who[open]")) open.open = false;
      if (location.hash === "#menu") location.hash = "#content";
      return;
    }
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey) {
      const find = document.getElementById("find");
      if (!find) return;
      event.preventDefault();
      find.focus();
      find.select();
      return;
    }
    // A slash goes to the search, as people are used to.
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select");
    if (event.key !== "/" || typing || event.metaKey || event.ctrlKey || event.altKey) return;
    const field = document.querySelector(".filters input:not([type=hidden])");
    if (!field) return;
    event.preventDefault();
    // On a narrow window filters are put away.
    if (!field.checkVisibility() && typeof field.form.showPopover === "function") field.form.showPopover();
    field.focus();
  });

  // Filters apply at once; without a script their button does it.
  document.addEventListener("change", (event) => {
    const field = event.target;
    // Dates change with every figure that is typed, and texts when they are left for the button.
    if (!(field instanceof HTMLSelectElement)) return;
    const form = field.form;
    if (!form || form.method !== "get" || !form.classList.contains("filters")) return;
    form.requestSubmit();
  });

  // A form is sent once, and filters without value stay out of the address.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    if (form.method === "get") {
      for (const field of form.elements) {
        if (field.name && !field.value) field.disabled = true;
      }
      return;
    }
    if (event.defaultPrevented) return;
    if (form.dataset.sent) return void event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, 5000);
  });
  // What was chosen may be longer than its field: it is then told to whoever points at it.
  function tellChoice(field) {
    const chosen = field.selectedOptions[0];
    if (chosen && chosen.text.length > 24) field.title = chosen.text;
    else field.removeAttribute("title");
  }
  for (const field of document.querySelectorAll("select")) tellChoice(field);
  document.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement) tellChoice(event.target);
  });

  // Coming back by the browser's button finds the fields as they were.
  window.addEventListener("pageshow", () => {
    for (const field of document.querySelectorAll("form[method=get] :disabled")) field.disabled = false;
  });

  // Charts: the numbers under the pointer, at once and readable.
  function readable(chart) {
    const body = chart.querySelector(".chart-body");
    const swatches = [...chart.querySelectorAll(".legend .swatch")].map((swatch) => swatch.className);
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    tip.setAttribute("aria-hidden", "true");
    body.append(tip);
    for (const hit of chart.querySelectorAll(".hit")) {
      const title = hit.querySelector("title");
      if (!title) continue;
      const [head, ...lines] = title.textContent.split("\n");
      title.remove();
      hit.addEventListener("pointerenter", () => {
        tip.replaceChildren();
        const name = document.createElement("span");
        name.className = "tip-head";
        name.textContent = head;
        tip.append(name);
        lines.forEach((line, place) => {
          const cut = line.lastIndexOf(": ");
          const row = document.createElement("span");
          row.className = "tip-line";
          if (swatches[place]) {
            const swatch = document.createElement("span");
            swatch.className = swatches[place];
            row.append(swatch);
          }
          const value = document.createElement("b");
          value.textContent = line.slice(cut + 2);
          row.append(line.slice(0, cut), value);
          tip.append(row);
        });
        tip.hidden = false;
        const frame = body.getBoundingClientRect();
        const column = hit.getBoundingClientRect();
        const right = column.right - frame.left + 10;
        const fits = right + tip.offsetWidth <= frame.width;
        const x = fits ? right : Math.max(0, column.left - frame.left - tip.offsetWidth - 10);
        tip.style.transform = `translate(${Math.round(x)}px, 4px)`;
      });
    }
    chart.addEventListener("pointerleave", () => { tip.hidden = true; });
  }

  setInterval(ages, 15000);
  for (const chart of document.querySelectorAll(".chart:has(.chart-body)")) readable(chart);
  for (const dialog of document.querySelectorAll("dialog[open]")) openDialog(dialog.id);
  // What is wrong with a form is where the person's eyes and keys go first.
  const wrong = document.querySelector("[aria-invalid]");
  if (wrong && !wrong.closest("dialog")) wrong.focus();
  const named = location.hash.slice(1);
  if (named && document.getElementById(named) instanceof HTMLDialogElement) openDialog(named);

  window.waule = { announce, copy, tellChoice, toast, zh };
})();
