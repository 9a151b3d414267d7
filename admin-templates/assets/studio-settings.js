// What a person sets for conversations: the system prompt, how answers are drawn, the models. Only what
// is set is sent; it is remembered in this browser, for this person alone, until they take it back.
(() => {
  "use strict";
  const NAMES = ["system", "temperature", "top_p", "max_tokens", "effort", "length"];
  const NUMBERS = new Set(["temperature", "top_p", "max_tokens"]);

  // The panel of a form; `person` keeps apart who shares a browser.
  function settings(form, person) {
    const panel = form.querySelector("[data-studio=settings]");
    const reset = form.querySelector("[data-studio=reset]");
    const count = form.querySelector("[data-studio=set]");
    const place = `waule.studio.${person}`;
    const field = (name) => form.elements.namedItem(name);

    function kept() {
      try {
        return JSON.parse(localStorage.getItem(place)) || {};
      } catch {
        // No storage, or not ours: nothing is remembered.
        return {};
      }
    }

    function keep(more) {
      try {
        localStorage.setItem(place, JSON.stringify({ ...kept(), ...more }));
      } catch {
        // A browser that keeps nothing is none of our business.
      }
    }

    function given() {
      const set = {};
      for (const name of NAMES) {
        const text = field(name) ? field(name).value.trim() : "";
        if (text) set[name] = text;
      }
      return set;
    }

    // As they are sent to a model: numbers as numbers, and effort only where there is thinking.
    function sent(thinks) {
      const set = given();
      if (!thinks) delete set.effort;
      for (const name of Object.keys(set)) {
        const number = NUMBERS.has(name) ? Number(set[name]) : NaN;
        if (Number.isFinite(number)) set[name] = number;
      }
      return set;
    }

    function tell() {
      const number = Object.keys(given()).length;
      count.textContent = number ? ` (${number})` : "";
      reset.hidden = !number;
    }

    const before = kept().settings || {};
    // What a page was sent with, and came back with, is newer than what is remembered; and a conversation goes on
    // as it was, also with nothing set.
    const goesOn = field("conversation") && field("conversation").value;
    if (!goesOn && !Object.keys(given()).length) {
      for (const name of NAMES) if (field(name) && before[name]) field(name).value = before[name];
    }
    panel.addEventListener("input", () => {
      keep({ settings: given() });
      tell();
    });
    reset.addEventListener("click", () => {
      for (const name of NAMES) if (field(name)) field(name).value = "";
      keep({ settings: {} });
      tell();
      panel.querySelector("textarea").focus();
      form.dispatchEvent(new Event("change", { bubbles: true }));
    });
    tell();
    return { keep, kept, sent };
  }

  window.waule.studio.settings = settings;
})();
