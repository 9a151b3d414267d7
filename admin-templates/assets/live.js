// Figures that follow what happens: an event `numbers` is an object from a figure's name to its
// text, an event `calls` a list of the calls that run, every value as the reader is to see it.
(() => {
  "use strict";
  const source = document.querySelector("[data-live-source]");
  if (!source || typeof EventSource !== "function") return;
  let stream = null;

  function show(event) {
    let numbers;
    try {
      numbers = JSON.parse(event.data);
    } catch {
      return;
    }
    for (const [name, text] of Object.entries(numbers)) {
      for (const place of document.querySelectorAll(`[data-live="${CSS.escape(name)}"]`)) {
        if (place.textContent !== String(text)) place.textContent = String(text);
      }
    }
  }

  const box = document.querySelector("[data-live-calls]");

  function cell(text, kind) {
    const place = document.createElement("td");
    if (kind) place.className = kind;
    place.textContent = text;
    return place;
  }

  function row(call) {
    const link = document.createElement("a");
    link.href = box.dataset.liveCalls + encodeURIComponent(call.id);
    link.textContent = call.since;
    const since = cell("");
    since.append(link);
    const line = document.createElement("tr");
    const heads = [...box.querySelectorAll("thead th")];
    line.append(
      since,
      cell(call.tenant, "clip"),
      cell(call.model, "clip mono"),
      cell(call.provider, "clip"),
      cell(call.operation),
      cell(call.held, "num"),
    );
    // On a narrow window each value stands below the name of its column.
    [...line.cells].forEach((place, column) => { place.dataset.label = heads[column].textContent.trim(); });
    return line;
  }

  function list(event) {
    let calls;
    try {
      calls = JSON.parse(event.data);
    } catch {
      return;
    }
    // A reader on the keys keeps the place until it is left.
    if (!box || box.contains(document.activeElement)) return;
    box.querySelector("tbody").replaceChildren(...calls.map(row));
    box.querySelector("[data-live-none]").hidden = calls.length > 0;
    box.querySelector(".scroll").hidden = calls.length === 0;
  }

  // Nobody reads a hidden page, so it holds no connection.
  function follow() {
    if (document.hidden && stream) {
      stream.close();
      stream = null;
    } else if (!document.hidden && !stream) {
      stream = new EventSource(source.dataset.liveSource);
      stream.addEventListener("numbers", show);
      stream.addEventListener("calls", list);
      // A server that says no is asked again when the page is next looked at.
      stream.addEventListener("error", () => {
        if (stream && stream.readyState === EventSource.CLOSED) stream = null;
      });
    }
  }
  document.addEventListener("visibilitychange", follow);
  follow();
})();
