// Figures that follow what happens: each event is an object from a figure's name to its text.
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

  // Nobody reads a hidden page, so it holds no connection.
  function follow() {
    if (document.hidden && stream) {
      stream.close();
      stream = null;
    } else if (!document.hidden && !stream) {
      stream = new EventSource(source.dataset.liveSource);
      stream.addEventListener("numbers", show);
      // A server that says no is asked again when the page is next looked at.
      stream.addEventListener("error", () => {
        if (stream && stream.readyState === EventSource.CLOSED) stream = null;
      });
    }
  }
  document.addEventListener("visibilitychange", follow);
  follow();
})();
