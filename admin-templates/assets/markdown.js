// Answers as models write them (Markdown, code, tables, formulas), as nodes of the page. Everything is
// text until a rule makes a node of it: no markup of an answer ever becomes markup of the page.
//
// An answer that is still coming is drawn block by block: what is complete is drawn once and stays, and
// only the last block is drawn again; of code that is open only its last line. A frame draws once
// however many tokens came, and after a slow drawing the next one waits eight times as long as it took.
// So 2,000 tokens (8 KB, some 40 blocks) cost about as much as drawing them three times, and a block of
// a megabyte can't take more than a ninth of the time. What is hostile meets the bounds below.
(() => {
  "use strict";
  // Containers within each other; deeper ones are text of the deepest.
  const DEPTH_MAX = 8;
  // Nodes that one answer may have; what is beyond is shown as plain text. Setting more of them would be
  // felt, and an answer of 8,000 tokens has some 3,500, most of them in code.
  const NODES_MAX = 4_000;
  // Lines of one list, table or paragraph, so that no block that is still coming grows without end.
  const LINES_MAX = 1_000;
  const CELLS_MAX = 32;

  const { highlight, formula } = window.waule;
  const { element, inline, plain, visible, PIECE, RUN_MAX } = window.waule.inline;

  // What a drawing may still make.
  class Budget {
    constructor() {
      this.left = NODES_MAX;
    }

    take(count = 1) {
      this.left -= count;
      return this.left >= 0;
    }
  }

  const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]{0,200})$/;
  const HEADING = /^ {0,3}(#{1,6})(?=\s|$)/;
  const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
  const QUOTE = /^ {0,3}> ?/;
  const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(?:(\s+)(.*)|)$/;
  const CELLS_BELOW = /^ {0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
  const FORMULA = /^ {0,3}(\$\$|\\\[)(.*)$/;
  // The rules of one line are for lines that a person can take in.
  const LINE_MAX = 10_000;

  const isBlank = (line) => !line.trim();

  function isTable(lines, at) {
    const [head, below] = [lines[at], lines[at + 1]];
    return below !== undefined && head.includes("|") && below.includes("-") && below.length < 2000 && CELLS_BELOW.test(below)
      && (below.includes("|") || head.trim().startsWith("|"));
  }

  function begins(lines, at) {
    const line = lines[at];
    // Most lines begin with a letter, and are asked nothing more.
    if (line.length > LINE_MAX || !(/^\s*[^\p{L}\s]/u.test(line) || line.includes("|"))) return false;
    return FENCE.test(line) || HEADING.test(line) || QUOTE.test(line) || RULE.test(line) || ITEM.test(line)
      || isTable(lines, at) || FORMULA.test(line);
  }

  // The block that begins at a line: its kind, and the line behind it.
  function block(lines, at, depth) {
    const line = lines[at];
    if (line.length > LINE_MAX) return { kind: "text", end: at + 1 };
    const fence = FENCE.exec(line);
    if (fence) return fenced(lines, at, fence);
    const math = FORMULA.exec(line);
    if (math) {
      const found = displayed(lines, at, math);
      if (found) return found;
    }
    const heading = HEADING.exec(line);
    if (heading) {
      const text = line.slice(heading[0].length).trim().replace(/(?:^|\s)#+$/, "");
      return { kind: "heading", end: at + 1, level: heading[1].length, text };
    }
    if (RULE.test(line)) return { kind: "rule", end: at + 1 };
    if (depth < DEPTH_MAX && QUOTE.test(line)) {
      let end = at + 1;
      while (end < lines.length && end - at < LINES_MAX && QUOTE.test(lines[end])) end++;
      return { kind: "quote", end };
    }
    const item = depth < DEPTH_MAX && ITEM.exec(line);
    if (item) return listed(lines, at, item);
    if (isTable(lines, at)) {
      let end = at + 2;
      while (end < lines.length && end - at < LINES_MAX && lines[end].includes("|")) end++;
      return { kind: "table", end };
    }
    let end = at + 1;
    const goesOn = (line) => !isBlank(lines[line]) && (depth >= DEPTH_MAX || !begins(lines, line));
    while (end < lines.length && end - at < LINES_MAX && goesOn(end)) end++;
    return { kind: "text", end };
  }

  function fenced(lines, at, [, mark, info]) {
    const close = new RegExp(`^ {0,3}\\${mark[0]}{${mark.length},}\\s*$`);
    let end = at + 1;
    while (end < lines.length && !close.test(lines[end])) end++;
    const isOpen = end >= lines.length;
    const language = info.trim().split(/\s/)[0];
    return { kind: "code", end: isOpen ? end : end + 1, language, lines: lines.slice(at + 1, end), isOpen, close };
  }

  function displayed(lines, at, [, begin, rest]) {
    const close = begin === "$$" ? "$$" : "\\]";
    const parts = [];
    for (let end = at; end < lines.length && end - at < 60; end++) {
      const line = end === at ? rest : lines[end];
      const place = line.indexOf(close);
      if (place < 0) {
        parts.push(line);
        continue;
      }
      // Words behind it: a formula within a paragraph.
      if (line.slice(place + 2).trim()) return null;
      parts.push(line.slice(0, place));
      return { kind: "formula", end: end + 1, source: parts.join("\n") };
    }
    return null;
  }

  const markOf = (mark) => (/\d/.test(mark) ? mark.at(-1) : mark);
  const indent = (line) => line.length - line.trimStart().length;

  // A list: its points, and the lines of each without what makes it one.
  function listed(lines, at, first) {
    const [, blanks, mark] = first;
    const own = markOf(mark);
    // Where the text of a point begins, and from where on a line belongs to it: models indent by two.
    const begin = (item) => item[1].length + item[2].length + Math.min((item[3] || " ").length, 4);
    let content = begin(first);
    const inner = () => Math.min(content, blanks.length + 2);
    const isSibling = (line) => {
      const item = line.length <= LINE_MAX && ITEM.exec(line);
      return item && item[1].length < inner() && !RULE.test(line) && item;
    };
    const points = [[first[4] || ""]];
    let place = at + 1;
    for (; place < lines.length && place - at < LINES_MAX; place++) {
      const line = lines[place];
      const point = points[points.length - 1];
      if (isBlank(line)) {
        const after = lines[place + 1];
        const other = after !== undefined && isSibling(after);
        const goesOn = after !== undefined && !isBlank(after) && (other ? markOf(other[2]) === own : indent(after) >= inner());
        if (!goesOn) break;
        point.push("");
        continue;
      }
      const item = isSibling(line);
      if (item) {
        if (markOf(item[2]) !== own) break;
        content = begin(item);
        points.push([item[4] || ""]);
      } else if (indent(line) >= inner() || !begins(lines, place)) {
        point.push(line.slice(Math.min(indent(line), content)));
      } else {
        break;
      }
    }
    return { kind: "list", end: place, points, start: /\d/.test(mark) ? Number.parseInt(mark, 10) : null };
  }

  function cells(line) {
    const inside = line.trim().replace(/^\|/, "").replace(/(^|[^\\])\|$/, "$1");
    const found = [];
    let cell = "";
    let isCode = false;
    for (let at = 0; at < inside.length; at++) {
      const letter = inside[at];
      if (letter === "\\" && inside[at + 1] === "|") {
        cell += "|";
        at++;
      } else if (letter === "|" && !isCode) {
        if (found.push(cell.trim()) >= CELLS_MAX) return found;
        cell = "";
      } else {
        if (letter === "`") isCode = !isCode;
        cell += letter;
      }
    }
    found.push(cell.trim());
    return found;
  }

  class Code {
    constructor(language, words) {
      this.spec = highlight.language(language);
      this.open = null;
      this.frame = element("div", "code-block");
      const head = element("div", "code-head");
      head.append(element("span", "code-language", language.slice(0, 40) || words.code || ""));
      const copy = element("button", "code-copy");
      copy.type = "button";
      copy.append(element("span", "", words.copy || ""));
      copy.addEventListener("click", () => window.waule.copy(copy, this.source()));
      head.append(copy);
      const pre = element("pre", "code");
      pre.tabIndex = 0;
      this.code = element("code");
      pre.append(this.code);
      this.frame.append(head, pre);
      this.text = [];
      this.rest = null;
    }

    source() {
      return [...this.text, ...(this.rest === null ? [] : [this.rest])].join("\n");
    }

    // A line that is complete.
    add(line, budget) {
      this.hide();
      if (budget.left > 0) this.open = this.draw(line, budget);
      else this.beyond([line]);
      this.text.push(line);
    }

    // Lines that no colour is left for, in pieces that are set when they are seen.
    beyond(lines) {
      if (!this.piece || this.size > PIECE) {
        this.piece = element("span", "piece");
        this.size = 0;
        this.code.append(this.piece);
      }
      for (let from = 0; from < lines.length; from += 100) {
        const text = `${lines.slice(from, from + 100).join("\n")}\n`;
        this.size += text.length;
        if (text.length > RUN_MAX) plain(this.piece, text);
        else this.piece.append(visible(text));
        if (this.size > PIECE && from + 100 < lines.length) return this.beyond(lines.slice(from + 100));
      }
      return undefined;
    }

    // The line that is still coming.
    last(line, budget) {
      this.hide();
      this.rest = line;
      const before = this.code.childNodes.length;
      this.draw(line, budget);
      this.drawn = this.code.childNodes.length - before;
    }

    hide() {
      for (; this.drawn > 0; this.drawn--) this.code.lastChild.remove();
      this.rest = null;
    }

    draw(text, budget) {
      if (this.text.length && !this.piece) this.code.append("\n");
      if (text.length > RUN_MAX) {
        plain(this.code, text);
        return null;
      }
      const { parts, open } = highlight.line(text, this.spec, this.open);
      for (const [kind, part] of parts) {
        if (kind && budget.take()) this.code.append(element("span", `tok-${kind}`, visible(part)));
        else this.code.append(visible(part));
      }
      return open;
    }
  }

  // What is beyond the bounds: text as it came.
  function rest(lines) {
    const made = element("p");
    plain(made, lines.join("\n"));
    return made;
  }

  class Drawing {
    constructor(words) {
      this.words = words;
      this.budget = new Budget();
    }

    blocks(into, lines, depth) {
      let at = 0;
      while (at < lines.length) {
        if (isBlank(lines[at])) {
          at++;
          continue;
        }
        if (this.budget.left <= 0) return void into.append(rest(lines.slice(at)));
        const found = block(lines, at, depth);
        into.append(this.one(found, lines.slice(at, found.end), depth));
        at = found.end;
      }
    }

    one(found, lines, depth) {
      if (!this.budget.take()) return rest(lines);
      switch (found.kind) {
        case "code": return this.code(found).frame;
        case "formula": return this.formula(found);
        case "heading": {
          // The page has the first heading, and an answer is below it.
          const made = element(`h${Math.min(found.level + 2, 6)}`);
          inline(made, found.text, this.budget);
          return made;
        }
        case "rule": return element("hr");
        case "quote": {
          const made = element("blockquote");
          this.blocks(made, lines.map((line) => line.replace(QUOTE, "")), depth + 1);
          return made;
        }
        case "list": return this.list(found, depth);
        case "table": return this.table(lines);
        default: return this.text(lines);
      }
    }

    code(found) {
      const code = new Code(found.language, this.words);
      let at = 0;
      for (; at < found.lines.length && this.budget.left > 0; at++) code.add(found.lines[at], this.budget);
      for (; at < found.lines.length; at += LINES_MAX) {
        const lines = found.lines.slice(at, at + LINES_MAX);
        code.beyond(lines);
        code.text.push(...lines);
      }
      return code;
    }

    formula({ source }) {
      const made = element("div", "formula scroll");
      made.tabIndex = 0;
      const math = this.budget.take(source.length) && formula.read(source, true);
      made.append(math || element("code", "tex", visible(source.trim())));
      return made;
    }

    list({ points, start }, depth) {
      const made = element(start === null ? "ul" : "ol");
      if (start !== null && start !== 1) made.start = start;
      for (const lines of points) {
        if (!this.budget.take()) {
          plain(made.appendChild(element("li")), points.slice(points.indexOf(lines)).flat().join("\n"));
          break;
        }
        const point = element("li");
        const task = /^\[([ xX])\]\s+/.exec(lines[0]);
        if (task) {
          lines[0] = lines[0].slice(task[0].length);
          point.append(task[1] === " " ? "☐ " : "☑ ");
          point.className = "task";
        }
        // A point of one paragraph needs none.
        const end = lines.findIndex((line, at) => at > 0 && (isBlank(line) || begins(lines, at)));
        const first = end < 0 ? lines : lines.slice(0, end);
        if (depth + 1 < DEPTH_MAX && begins(lines, 0)) {
          this.blocks(point, lines, depth + 1);
        } else {
          this.lines(point, first);
          if (end > 0) this.blocks(point, lines.slice(end), depth + 1);
        }
        made.append(point);
      }
      return made;
    }

    table(lines) {
      const frame = element("div", "scroll");
      frame.tabIndex = 0;
      const table = element("table", "table said-table");
      const sides = cells(lines[1]).map((cell) => {
        if (/^:-+:$/.test(cell)) return "cell-center";
        return /-:$/.test(cell) ? "cell-end" : "";
      });
      const head = cells(lines[0]);
      const row = (name, given) => {
        const made = element("tr");
        for (let at = 0; at < head.length; at++) {
          this.budget.take();
          const cell = element(name, sides[at]);
          inline(cell, given[at] || "", this.budget);
          made.append(cell);
        }
        return made;
      };
      const begin = element("thead");
      begin.append(row("th", head));
      for (const cell of begin.querySelectorAll("th")) cell.scope = "col";
      const body = element("tbody");
      for (let at = 2; at < lines.length; at++) {
        if (this.budget.left <= 0) {
          table.append(begin, body);
          frame.append(table, rest(lines.slice(at)));
          return frame;
        }
        body.append(row("td", cells(lines[at])));
      }
      table.append(begin, body);
      frame.append(table);
      return frame;
    }

    text(lines) {
      const made = element("p");
      this.lines(made, lines);
      return made;
    }

    // Models break lines where they mean them to break.
    lines(into, lines) {
      const all = lines.map((line) => line.trim()).join("\n");
      if (all.length > RUN_MAX || this.budget.left <= 0) return void plain(into, all);
      const holder = document.createDocumentFragment();
      inline(holder, all, this.budget);
      into.append(holder);
    }
  }

  // A whole text at once.
  function show(place, text, words = {}) {
    place.classList.add("is-rich");
    place.replaceChildren();
    new Drawing(words).blocks(place, text.split("\n"), 0);
  }

  // A text that is still coming.
  class Stream {
    constructor(place, words = {}, onDrawn = () => {}) {
      Object.assign(this, { place, words, onDrawn });
      this.text = "";
      // Up to here it is drawn for good.
      this.settled = 0;
      this.tail = [];
      this.fence = null;
      this.drawing = new Drawing(words);
      this.timer = 0;
      this.frame = 0;
      place.classList.add("is-rich");
    }

    push(text) {
      this.text += text;
      if (this.timer || this.frame) return;
      if (!this.rest) return void (this.frame = requestAnimationFrame(() => this.tick()));
      this.timer = setTimeout(() => this.tick(), this.rest);
    }

    tick() {
      this.timer = this.frame = 0;
      const begun = performance.now();
      this.draw(false);
      const took = performance.now() - begun;
      this.rest = took > 4 ? took * 8 : 0;
      this.onDrawn();
    }

    end() {
      clearTimeout(this.timer);
      cancelAnimationFrame(this.frame);
      this.draw(true);
      this.onDrawn();
    }

    keep(node) {
      this.place.append(node);
    }

    draw(isEnd) {
      if (this.fence && !this.goOn(isEnd)) return;
      for (const node of this.tail) node.remove();
      this.tail = [];
      if (this.drawing.budget.left <= 0) return void this.beyond();
      const text = this.text.slice(this.settled);
      const lines = text.split("\n");
      const last = lines.length - 1;
      let at = 0;
      const found = [];
      while (at < lines.length) {
        if (isBlank(lines[at])) {
          at++;
          continue;
        }
        const one = block(lines, at, 0);
        found.push({ one, at });
        at = one.end;
      }
      // The last block may go on; and one whose only line is still coming may yet belong to the one before.
      const open = isEnd ? 0 : found.length && found.at(-1).at === last ? 2 : 1;
      const firm = Math.max(found.length - open, 0);
      // What is drawn again takes from the same budget each time only as long as it stands.
      let left = this.drawing.budget.left;
      found.forEach(({ one, at: from }, number) => {
        const isFirm = number < firm;
        if (!isEnd && number === found.length - 1 && one.kind === "code" && one.isOpen && from < last && firm === number) {
          return void this.begin(one, lines, from);
        }
        const node = this.drawing.one(one, lines.slice(from, one.end), 0);
        this.keep(node);
        if (isFirm) left = this.drawing.budget.left;
        else this.tail.push(node);
      });
      if (!this.fence) {
        this.drawing.budget.left = left;
        if (firm) this.settled += offset(lines, found[firm - 1].one.end);
      }
    }

    // Nothing more is looked at for markup: what is whole stays, and the last piece is drawn again.
    beyond() {
      for (; this.text.length - this.settled > PIECE; this.settled += PIECE) {
        this.keep(rest([this.text.slice(this.settled, this.settled + PIECE)]));
      }
      const last = rest([this.text.slice(this.settled)]);
      this.keep(last);
      this.tail.push(last);
    }

    // Code that is open: its lines are drawn as they are complete.
    begin(one, lines, from) {
      const code = new Code(one.language, this.words);
      this.keep(code.frame);
      this.settled += offset(lines, from + 1);
      this.fence = { code, close: one.close };
      this.goOn(false);
    }

    // Goes on with open code; whether it came to its end.
    goOn(isEnd) {
      const { code, close } = this.fence;
      for (;;) {
        const end = this.text.indexOf("\n", this.settled);
        const line = end < 0 ? this.text.slice(this.settled) : this.text.slice(this.settled, end);
        if ((end >= 0 || isEnd) && line.length <= LINE_MAX && close.test(line)) {
          code.hide();
          this.settled = end < 0 ? this.text.length : end + 1;
          this.fence = null;
          return true;
        }
        if (end < 0) {
          if ((isEnd && !line) || close.test(line.slice(0, LINE_MAX))) code.hide();
          else code.last(line, { left: this.drawing.budget.left, take: () => true });
          if (isEnd) this.settled = this.text.length;
          return false;
        }
        code.add(line, this.drawing.budget);
        this.settled = end + 1;
      }
    }
  }

  // How many letters the first lines are, with the breaks behind them.
  function offset(lines, count) {
    let length = 0;
    for (let at = 0; at < count; at++) length += lines[at].length + 1;
    return length;
  }

  window.waule.markdown = { show, Stream };
})();
