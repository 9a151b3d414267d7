// The words of an answer's line as nodes of the page: emphasis, code, links, formulas. Everything is text
// until a rule here makes a node of it; blocks are `markdown.js`'s. Goes over a text once: what looks
// ahead is found beforehand, so that a row of a thousand open brackets is no thousand rows.
(() => {
  "use strict";
  // Letters that are looked at for markup in one run; longer runs are shown as plain text.
  const RUN_MAX = 32_768;
  // Plain text in pieces that the browser sets only when they are seen.
  const PIECE = 4096;
  // A label of a link has no links.
  const INLINE_DEPTH_MAX = 6;
  const OPEN_MAX = 16;
  const FORMULA_MAX = 400;

  const { formula } = window.waule;

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // Letters that turn the direction of what follows would show another text than the one that is there
  // (Unicode TR 36, "Bidirectional text spoofing"); they are named instead.
  const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;
  const visible = (text) =>
    text.replace(TURNING, (letter) => `⟨U+${letter.codePointAt(0).toString(16).toUpperCase()}⟩`);

  const PUNCTUATION = /[!-/:-@[-`{-~]/;
  const WORDY = /[\p{L}\p{N}]/u;
  // Schemes that lead nowhere but to a page or to a letter.
  const SAFE = /^(?:https?|mailto):[^\s\u0000-\u001f]+$/i;
  const TARGET = /\(\s*<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+"[^"]{0,400}")?\s*\)/y;
  const BARE = /https?:\/\/[^\s<>"'`|\\^{}[\]]+/iy;
  const ANGLE = /<((?:https?|mailto):[^\s<>]+)>/iy;
  const ENTITY = /&(amp|lt|gt|quot|nbsp|#39);/y;
  const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: "\"", nbsp: "\u00a0", "#39": "'" };
  const SPECIAL = /[\\`*_~$[!<&h]/gi;
  const MARKS = { "**": "strong", __: "strong", "*": "em", _: "em", "~~": "s" };

  function sticky(pattern, text, place) {
    pattern.lastIndex = place;
    return pattern.exec(text);
  }

  function link(address, budget) {
    budget.take();
    const made = element("a");
    made.href = address;
    made.target = "_blank";
    made.rel = "noopener noreferrer nofollow";
    return made;
  }

  // Where each bracket is closed, found in one pass: looking ahead from each would go over a row of a
  // thousand open ones a thousand times.
  function brackets(text) {
    const found = new Map();
    const open = [];
    for (let place = text.indexOf("["); place >= 0 && place < text.length; place++) {
      if (text[place] === "\\") place++;
      else if (text[place] === "[") open.push(place);
      else if (text[place] === "]" && open.length) found.set(open.pop(), place);
    }
    return found;
  }

  // Where runs of so many backticks begin, by their length, for the same reason.
  function ticks(text) {
    const runs = new Map();
    for (const { 0: run, index } of text.matchAll(/`+/g)) {
      if (!runs.has(run.length)) runs.set(run.length, { places: [], at: 0 });
      runs.get(run.length).places.push(index);
    }
    return runs;
  }

  function runAfter(runs, length, place) {
    const run = runs.get(length);
    if (!run) return -1;
    while (run.at < run.places.length && run.places[run.at] < place) run.at++;
    return run.at < run.places.length ? run.places[run.at] : -1;
  }

  class Inline {
    constructor(into, text, budget, depth) {
      Object.assign(this, { text, budget, depth });
      this.stack = [{ mark: "", place: into }];
      this.plain = "";
    }

    get place() {
      return this.stack[this.stack.length - 1].place;
    }

    flush() {
      if (this.plain) this.place.append(visible(this.plain));
      this.plain = "";
    }

    put(made) {
      this.flush();
      this.place.append(made);
    }

    // Closes a mark; what was opened within it and not closed is text.
    close(mark) {
      const at = this.stack.findLastIndex((open) => open.mark === mark);
      if (at < 1) return false;
      this.flush();
      while (this.stack.length > at + 1) this.undo();
      const { place } = this.stack.pop();
      this.place.append(place);
      return true;
    }

    undo() {
      const { mark, place } = this.stack.pop();
      this.place.append(mark);
      while (place.firstChild) this.place.append(place.firstChild);
    }

    emphasis(at) {
      const { text } = this;
      const letter = text[at];
      let mark = text[at + 1] === letter ? letter + letter : letter;
      if (mark === "~") return 0;
      // Three of them are the strong one within the other.
      if (mark.length === 2 && text[at + 2] === letter && this.stack.at(-1).mark === letter) mark = letter;
      const before = text[at - 1] || " ";
      const after = text[at + mark.length] || " ";
      const within = letter === "_" && WORDY.test(before) && WORDY.test(after);
      if (within) return 0;
      if (/\S/.test(before) && this.close(mark)) return mark.length;
      if (/\s/.test(after) || (letter === "_" && WORDY.test(before))) return 0;
      if (this.stack.length > OPEN_MAX || !this.budget.take()) return 0;
      this.flush();
      this.stack.push({ mark, place: element(MARKS[mark]) });
      return mark.length;
    }

    code(at) {
      const run = /^`+/.exec(this.text.slice(at, at + 64))[0];
      const end = runAfter(this.runs, run.length, at + run.length);
      if (end < 0 || !this.budget.take()) return -run.length;
      const inside = this.text.slice(at + run.length, end).replaceAll("\n", " ");
      const trimmed = /^ .*\S.* $/.test(inside) ? inside.slice(1, -1) : inside;
      this.put(element("code", "", visible(trimmed)));
      return end + run.length - at;
    }

    // `\( \)`, `\[ \]`, `$ $` and `$$ $$` within a line; prices in dollars are none.
    formula(at) {
      const { text } = this;
      const pair = [["\\(", "\\)"], ["\\[", "\\]"], ["$$", "$$"], ["$", "$"]].find(([begin]) => text.startsWith(begin, at));
      if (!pair) return 0;
      const [begin, close] = pair;
      const from = at + begin.length;
      const window = text.slice(from, from + FORMULA_MAX);
      const length = window.indexOf(close);
      if (length < 1) return 0;
      const source = window.slice(0, length);
      const isPrice = begin === "$" && (/^\s|\s$/.test(source) || /\d/.test(window[length + 1] || ""));
      if (isPrice || !this.budget.take(source.length)) return 0;
      const all = begin.length + length + close.length;
      const made = formula.read(source, begin === "$$" || begin === "\\[");
      this.put(made || element("code", "tex", visible(text.slice(at, at + all))));
      return all;
    }

    link(at, isPicture) {
      const { text } = this;
      const from = at + (isPicture ? 1 : 0);
      const end = this.pairs.get(from);
      if (end === undefined) return 0;
      const target = sticky(TARGET, text, end + 1);
      if (!target || !SAFE.test(target[1]) || this.depth >= INLINE_DEPTH_MAX) return 0;
      const made = link(target[1], this.budget);
      const label = text.slice(from + 1, end) || target[1];
      // Pictures of other hosts are not fetched: their address is offered.
      if (isPicture) made.append(visible(label));
      else inline(made, label, this.budget, INLINE_DEPTH_MAX);
      this.put(made);
      return end + 1 + target[0].length - at;
    }

    bare(at) {
      if (this.depth >= INLINE_DEPTH_MAX || WORDY.test(this.text[at - 1] || " ")) return 0;
      const found = sticky(BARE, this.text, at);
      if (!found) return 0;
      const address = found[0].replace(/[.,;:!?)*_~]+$/, "");
      if (address.length < 10) return 0;
      const made = link(address, this.budget);
      made.textContent = visible(address);
      this.put(made);
      return address.length;
    }

    angle(at) {
      const found = this.depth < INLINE_DEPTH_MAX && sticky(ANGLE, this.text, at);
      if (!found) return 0;
      const made = link(found[1], this.budget);
      made.textContent = visible(found[1].replace(/^mailto:/i, ""));
      this.put(made);
      return found[0].length;
    }

    // What begins at a special letter: how many letters it took, or none.
    special(at) {
      const { text } = this;
      const letter = text[at];
      switch (letter) {
        case "\\": {
          const length = this.formula(at);
          if (length) return length;
          if (!PUNCTUATION.test(text[at + 1] || "")) return 0;
          this.plain += text[at + 1];
          return 2;
        }
        case "`": {
          const length = this.code(at);
          if (length < 0) this.plain += text.slice(at, at - length);
          return Math.abs(length);
        }
        case "*": case "_": case "~": return this.emphasis(at);
        case "$": return this.formula(at);
        case "[": return this.link(at, false);
        case "!": return text[at + 1] === "[" ? this.link(at, true) : 0;
        case "<": return this.angle(at);
        case "&": {
          const found = sticky(ENTITY, text, at);
          if (found) this.plain += ENTITIES[found[1]];
          return found ? found[0].length : 0;
        }
        default: return this.bare(at);
      }
    }

    run() {
      const { text } = this;
      this.pairs = brackets(text);
      this.runs = ticks(text);
      let at = 0;
      while (at < text.length) {
        SPECIAL.lastIndex = at;
        const found = SPECIAL.exec(text);
        const next = found ? found.index : text.length;
        this.plain += text.slice(at, next);
        if (!found) break;
        const length = this.special(next);
        if (!length) this.plain += text[next];
        at = next + (length || 1);
      }
      this.flush();
      while (this.stack.length > 1) this.undo();
    }
  }

  function inline(into, text, budget, depth = 0) {
    const isLong = text.length > RUN_MAX;
    if (isLong || budget.left <= 0) return void plain(into, text);
    new Inline(into, text, budget, depth).run();
  }

  // Text as it stands, in pieces; what is not in sight is not set.
  function plain(into, text) {
    if (text.length <= PIECE) return void into.append(visible(text));
    for (let from = 0; from < text.length; from += PIECE) {
      into.append(element("span", "piece", visible(text.slice(from, from + PIECE))));
    }
  }

  window.waule.inline = { element, inline, plain, visible, PIECE, RUN_MAX };
})();
