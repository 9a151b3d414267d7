// Finding: what may be meant while somebody types, filters that apply by themselves, charts whose
// columns are reached by keys and whose stretches are drawn by the pointer. Every page works without it.
(() => {
  "use strict";
  const WAIT_MS = 180;
  const APPLY_MS = 600;

  // A plain field becomes a combobox of WAI-ARIA: the list is asked for, arrows go through it, Enter takes.
  function combobox(field, number) {
    const box = document.createElement("ul");
    box.id = `offers-${number}`;
    box.className = "offers";
    box.setAttribute("role", "listbox");
    const label = field.labels && field.labels[0];
    if (label) box.setAttribute("aria-label", label.textContent.trim());
    box.hidden = true;
    field.removeAttribute("list");
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-expanded", "false");
    field.setAttribute("aria-controls", box.id);
    field.closest(".control").append(box);
    let timer = 0;
    let asked = 0;
    let at = -1;

    const options = () => [...box.children];
    function close() {
      box.hidden = true;
      at = -1;
      field.setAttribute("aria-expanded", "false");
      field.removeAttribute("aria-activedescendant");
    }
    function go(place) {
      const all = options();
      if (!all.length) return;
      at = (place + all.length) % all.length;
      all.forEach((one, index) => one.setAttribute("aria-selected", String(index === at)));
      field.setAttribute("aria-activedescendant", all[at].id);
      all[at].scrollIntoView({ block: "nearest" });
    }
    function take(option) {
      field.value = option.title;
      close();
      field.dispatchEvent(new Event("taken", { bubbles: true }));
    }
    function show(offers) {
      box.replaceChildren(...offers.map((offer, index) => {
        const option = document.createElement("li");
        option.id = `${box.id}-${index}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.title = offer.value;
        option.textContent = offer.value;
        if (offer.note) {
          const note = document.createElement("span");
          note.className = "faint";
          note.textContent = ` ${offer.note}`;
          option.append(note);
        }
        return option;
      }));
      at = -1;
      const some = offers.length > 0 && document.activeElement === field;
      box.hidden = !some;
      field.setAttribute("aria-expanded", String(some));
      field.removeAttribute("aria-activedescendant");
    }
    async function ask() {
      const turn = ++asked;
      const path = `${field.dataset.offers}&q=${encodeURIComponent(field.value)}`;
      const answer = await fetch(path, { headers: { accept: "application/json" } }).catch(() => null);
      // An answer that was overtaken, or another page's, offers nothing.
      if (turn !== asked || !answer || !answer.ok) return;
      const offers = await answer.json().catch(() => []);
      if (turn === asked) show(offers);
    }

    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, WAIT_MS);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (box.hidden) return void ask();
        return void go(event.key === "ArrowDown" ? at + 1 : at < 0 ? -1 : at - 1);
      }
      if (box.hidden) return;
      if (event.key === "Escape") {
        event.stopPropagation();
        event.preventDefault();
        return void close();
      }
      if (event.key === "Enter" && at >= 0) {
        event.preventDefault();
        take(options()[at]);
      }
    });
    field.addEventListener("blur", () => {
      asked += 1;
      clearTimeout(timer);
      close();
    });
    // Before the field loses the focus.
    box.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) take(option);
    });
  }

  // Filters apply at once; the field that somebody types in has the focus again on the page that comes.
  const KEPT = "waule-typing";
  function remember(form) {
    const field = document.activeElement;
    if (!form.contains(field) || !field.name) return;
    const caret = field.type === "text" || field.type === "search" ? field.selectionEnd : null;
    const kept = { path: location.pathname, id: field.id, caret };
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(kept));
    } catch {
      // Without a store the focus begins anew.
    }
  }
  function resume() {
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(KEPT));
      sessionStorage.removeItem(KEPT);
    } catch {
      return;
    }
    if (!kept || kept.path !== location.pathname) return;
    const field = document.getElementById(kept.id);
    if (!field || !field.closest("form.filters")) return;
    field.focus({ preventScroll: true });
    if (kept.caret !== null && field.setSelectionRange) field.setSelectionRange(kept.caret, kept.caret);
  }
  function applying(form) {
    let timer = 0;
    const values = () => JSON.stringify([...new FormData(form)]);
    const sent = values();
    function apply() {
      clearTimeout(timer);
      if (values() === sent) return;
      remember(form);
      form.requestSubmit();
    }
    form.addEventListener("input", (event) => {
      const kind = event.target.type;
      if (kind !== "text" && kind !== "search") return;
      clearTimeout(timer);
      timer = setTimeout(apply, APPLY_MS);
    });
    // Dates change with every figure that is typed: they count once they are left.
    form.addEventListener("focusout", (event) => { if (event.target.type === "date") apply(); });
    form.addEventListener("taken", apply);
    form.addEventListener("submit", () => clearTimeout(timer));
  }

  // A chart is one stop: arrows go from column to column, Enter opens the calls of one, and a stretch that is
  // drawn with the pointer opens all of its calls.
  function walkable(plot) {
    const columns = [...plot.querySelectorAll("a.hit")];
    if (!columns.length) return;
    const place = (target) => columns.indexOf(target.closest ? target.closest("a.hit") : null);
    const href = (column) => column.getAttribute("href");
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -columns.length, End: columns.length }[event.key];
      const from = place(event.target);
      if (!step || from < 0) return;
      event.preventDefault();
      const to = Math.min(columns.length - 1, Math.max(0, from + step));
      columns[from].setAttribute("tabindex", "-1");
      columns[to].setAttribute("tabindex", "0");
      columns[to].focus();
    });
    let from = -1;
    let to = -1;
    function paint() {
      const [first, last] = from < to ? [from, to] : [to, from];
      columns.forEach((column, index) => {
        column.classList.toggle("is-dragged", from >= 0 && from !== to && index >= first && index <= last);
      });
    }
    function end() {
      from = -1;
      to = -1;
      paint();
    }
    plot.addEventListener("dragstart", (event) => event.preventDefault());
    plot.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.pointerType === "touch") return;
      from = place(event.target);
      to = from;
    });
    plot.addEventListener("pointermove", (event) => {
      const over = place(event.target);
      if (from < 0 || over < 0) return;
      to = over;
      paint();
    });
    plot.addEventListener("pointerup", () => {
      if (from < 0 || from === to) return void end();
      const [first, last] = from < to ? [columns[from], columns[to]] : [columns[to], columns[from]];
      const start = href(first).match(/span=(\d+)-/);
      const stop = href(last).match(/-(\d+)$/);
      end();
      if (start && stop) location.assign(href(first).replace(/span=.*$/, `span=${start[1]}-${stop[1]}`));
    });
    // A stretch is no click on the column where it ends.
    plot.addEventListener("click", (event) => { if (from >= 0 && from !== to) event.preventDefault(); });
    window.addEventListener("pointerup", (event) => { if (!plot.contains(event.target)) end(); });
  }

  document.querySelectorAll("input[data-offers]").forEach(combobox);
  document.querySelectorAll("main form.filters[method=get]").forEach(applying);
  document.querySelectorAll("svg.plot").forEach(walkable);
  resume();
})();
