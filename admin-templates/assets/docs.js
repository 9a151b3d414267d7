// The API's documentation: a search that hides what does not fit, and copies of examples. Without it the
// browser finds words in the page, and the table of contents leads everywhere.
(() => {
  "use strict";
  const place = document.querySelector("[data-docs]");
  const find = document.getElementById("docs-find");
  if (place && find) {
    const entries = [...place.querySelectorAll("[data-docs-words]")];
    const parts = [...place.querySelectorAll("[data-docs-part]")];
    const none = place.querySelector("[data-docs-none]");
    const count = place.querySelector("[data-docs-count]");
    const opened = new Map();

    const show = () => {
      const wanted = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      let routes = 0;
      for (const entry of entries) {
        const text = entry.dataset.docsWords;
        entry.hidden = !wanted.every((word) => text.includes(word));
        if (!entry.hidden && entry.localName === "article") routes += 1;
      }
      for (const part of parts) {
        part.hidden = !part.querySelector("[data-docs-words]:not([hidden])");
        if (part.localName !== "details") continue;
        if (!opened.has(part)) opened.set(part, part.open);
        part.open = wanted.length > 0 ? true : opened.get(part);
      }
      none.hidden = routes > 0;
      count.textContent = String(routes);
    };
    find.addEventListener("input", show);
    place.querySelector("[data-docs-search]").hidden = false;
    show();
  }

  // A link to a route that the search hides shows it.
  const reveal = () => {
    const name = decodeURIComponent(location.hash.slice(1));
    const target = name && document.getElementById(name);
    const entry = target && target.closest("[data-docs-words]");
    if (!entry || !entry.hidden) return;
    find.value = "";
    find.dispatchEvent(new Event("input"));
    target.scrollIntoView();
  };
  if (place) window.addEventListener("hashchange", reveal);
})();
