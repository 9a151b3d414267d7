// Colours for code as models write it: comments, strings, numbers, words of the language, and names
// that are called or declared. Goes line by line and carries on what a line leaves open, so that code
// that is still coming is never read again from its beginning. Good enough to read by, no parser.
(() => {
  "use strict";
  // Longer lines are no code that anybody reads; they are shown as they are.
  const LINE_MAX = 2000;

  const set = (text) => new Set(text.split(" "));
  const C_LIKE = { line: ["//"], block: [["/*", "*/"]], strings: ["\"", "'"] };
  const JS_WORDS =
    "as async await break case catch class const continue debugger default delete do else enum export extends false finally for from function get if implements import in instanceof interface let new null of private protected public readonly return satisfies set static super switch this throw true try type typeof undefined var void while yield any boolean never number object string symbol unknown declare namespace keyof infer abstract";
  const SQL_WORDS =
    "add all alter and as asc begin between by case cast check column commit constraint create cross current_timestamp database default delete desc distinct drop else end exists explain false foreign from full function grant group having if in index inner insert into is join key left like limit not null offset on or order outer over partition primary references returning right rollback select set table then true union unique update using values view when where with integer int bigint text varchar char boolean date timestamp numeric serial";
  const SPECS = {
    bash: {
      line: ["#"], strings: ["\"", "'"],
      terms: set("if then else elif fi for while until do done case esac in function select return exit local export readonly declare unset set source alias trap break continue echo cd sudo true false"),
    },
    c: {
      ...C_LIKE, line: ["//"], hash: true,
      terms: set("auto break case char const continue default do double else enum extern float for goto if inline int long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while bool true false NULL nullptr size_t uint8_t uint32_t uint64_t int32_t int64_t alignas alignof and catch class concept consteval constexpr constinit co_await co_return co_yield decltype delete dynamic_cast explicit export final friend mutable namespace new noexcept not operator or override private protected public requires static_assert static_cast template this throw try typeid typename using virtual std string vector"),
    },
    csharp: {
      ...C_LIKE, hash: true,
      terms: set("abstract as async await base bool break byte case catch char checked class const continue decimal default delegate do double else enum event explicit extern false finally fixed float for foreach get goto if implicit in init int interface internal is lock long namespace new null object operator out override params private protected public readonly record ref return sbyte sealed set short sizeof static string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using var virtual void volatile when where while yield"),
    },
    css: {
      block: [["/*", "*/"]], strings: ["\"", "'"], dashes: true,
      terms: set("important inherit initial unset auto none var calc media supports keyframes import layer container"),
    },
    diff: { rows: true },
    dockerfile: {
      line: ["#"], strings: ["\"", "'"], anyCase: true,
      terms: set("from run cmd label expose env add copy entrypoint volume user workdir arg onbuild stopsignal healthcheck shell as"),
    },
    go: {
      ...C_LIKE, multi: [["`", "`"]],
      terms: set("break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var true false nil iota any bool byte complex128 error float32 float64 int int8 int16 int32 int64 rune string uint uint8 uint16 uint32 uint64 uintptr append cap close copy delete len make new panic print println recover"),
    },
    html: { markup: true, block: [["<!--", "-->"]], strings: ["\"", "'"], terms: new Set() },
    java: {
      ...C_LIKE, multi: [["\"\"\"", "\"\"\""]],
      terms: set("abstract assert boolean break byte case catch char class const continue data default do double else enum extends final finally float for fun if implements import in instanceof int interface internal is it lateinit long native new null object open override package permits private protected public record return sealed short static strictfp super suspend switch synchronized this throw throws transient true false try val var void volatile when while yield String Int Long Boolean Unit List Map"),
    },
    javascript: { ...C_LIKE, multi: [["`", "`"]], terms: set(JS_WORDS) },
    json: { strings: ["\""], terms: set("true false null"), keys: true },
    lua: {
      line: ["--"], block: [["--[[", "]]"]], strings: ["\"", "'"],
      terms: set("and break do else elseif end false for function goto if in local nil not or repeat return then true until while"),
    },
    php: {
      line: ["//", "#"], block: [["/*", "*/"]], strings: ["\"", "'"],
      terms: set("abstract and array as break callable case catch class clone const continue declare default do echo else elseif empty enum extends final finally fn for foreach function global if implements include instanceof interface isset list match namespace new null or print private protected public readonly require return static switch throw trait true false try unset use var while yield int string bool float void mixed self parent this"),
    },
    python: {
      line: ["#"], strings: ["\"", "'"], multi: [["\"\"\"", "\"\"\""], ["'''", "'''"]],
      terms: set("and as assert async await break case class continue def del elif else except False finally for from global if import in is lambda match None nonlocal not or pass raise return True try while with yield self int str float bool list dict set tuple print len range type object super isinstance"),
    },
    ruby: {
      line: ["#"], strings: ["\"", "'"],
      terms: set("alias and begin break case class def defined do else elsif end ensure false for if in module next nil not or redo require rescue retry return self super then true undef unless until when while yield attr_accessor attr_reader puts include extend private protected public"),
    },
    rust: {
      line: ["//"], block: [["/*", "*/"]], strings: ["\""], multi: [["r#\"", "\"#"]], ticks: true,
      terms: set("as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use where while bool char f32 f64 i8 i16 i32 i64 i128 isize str u8 u16 u32 u64 u128 usize String Vec Option Some None Result Ok Err Box Arc Rc"),
    },
    sql: { line: ["--"], block: [["/*", "*/"]], strings: ["'", "\""], anyCase: true, terms: set(SQL_WORDS) },
    swift: {
      ...C_LIKE, multi: [["\"\"\"", "\"\"\""]],
      terms: set("actor as associatedtype async await break case catch class continue default defer deinit do else enum extension fallthrough false fileprivate final for func guard if import in init inout internal is lazy let mutating nil open operator override private protocol public repeat required rethrows return self Self static struct subscript super switch throw throws true try typealias unowned var weak where while Int String Bool Double Array Dictionary"),
    },
    yaml: { line: ["#"], strings: ["\"", "'"], terms: set("true false null yes no on off"), keys: true },
  };
  const ALIASES = {
    "c#": "csharp", "c++": "c", cc: "c", cjs: "javascript", console: "bash", cpp: "c", cs: "csharp", cxx: "c",
    docker: "dockerfile", golang: "go", h: "c", hpp: "c", htm: "html", ini: "yaml", js: "javascript", json5: "json",
    jsonc: "json", jsx: "javascript", kotlin: "java", kt: "java", less: "css", mjs: "javascript", mysql: "sql",
    patch: "diff", postgres: "sql", postgresql: "sql", properties: "yaml", py: "python", py3: "python", python3: "python",
    rb: "ruby", rs: "rust", scala: "java", scss: "css", sh: "bash", shell: "bash", sqlite: "sql", svelte: "html",
    svg: "html", toml: "yaml", ts: "javascript", tsx: "javascript", typescript: "javascript", vue: "html", xhtml: "html",
    xml: "html", yml: "yaml", zsh: "bash",
  };

  const NUMBER = /(?:0[xob][\da-f_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:e[+-]?\d+)?)[a-z%]*/iy;
  const WORD = /[\p{L}_$@][\p{L}\p{N}_$]*/uy;
  const WORD_DASHED = /[\p{L}_$@-][\p{L}\p{N}_$-]*/uy;
  const BLANK = /\s+/y;
  const TAG = /<\/?[A-Za-z][\w:.-]*/y;
  const TICK = /'(?:\\.[^']{0,12}|[^'\\])'/y;
  const LIFETIME = /'[A-Za-z_]\w*/y;

  function at(pattern, text, place) {
    pattern.lastIndex = place;
    const found = pattern.exec(text);
    return found ? found[0] : "";
  }

  // The end of a string that begins at `from`, on its own line.
  function closed(text, from, quote) {
    for (let place = from; place < text.length; place++) {
      if (text[place] === "\\") place++;
      else if (text[place] === quote) return place + 1;
    }
    return text.length;
  }

  const begins = (text, place, list) => (list || []).find((start) => text.startsWith(start, place));
  const opens = (text, place, list) => (list || []).find(([start]) => text.startsWith(start, place));

  function rowKind(line) {
    if (line.startsWith("@@")) return "name";
    if (line.startsWith("+")) return "added";
    return line.startsWith("-") ? "gone" : "";
  }

  // What stands at a place, and what it leaves open for the next line.
  function one(line, place, spec) {
    const pair = opens(line, place, spec.block) || opens(line, place, spec.multi);
    const kind = pair && opens(line, place, spec.block) ? "comment" : "string";
    if (pair) {
      const end = line.indexOf(pair[1], place + pair[0].length);
      if (end >= 0) return [kind, end + pair[1].length - place];
      return [kind, line.length - place, { kind, end: pair[1] }];
    }
    const comment = begins(line, place, spec.line);
    // A number sign inside of a word begins no comment.
    if (comment && (comment !== "#" || place === 0 || /[\s;(]/.test(line[place - 1]))) return ["comment", line.length - place];
    if (spec.hash && line[place] === "#" && !line.slice(0, place).trim()) return ["name", line.length - place];
    if (spec.ticks && line[place] === "'") {
      const letter = at(TICK, line, place);
      if (letter) return ["string", letter.length];
      return ["name", at(LIFETIME, line, place).length || 1];
    }
    const quote = begins(line, place, spec.strings);
    if (quote) {
      const end = closed(line, place + 1, quote);
      const isKey = spec.keys && /^\s*:/.test(line.slice(end, end + 8));
      return [isKey ? "name" : "string", end - place];
    }
    if (spec.markup) {
      const tag = at(TAG, line, place);
      if (tag) return ["word", tag.length];
    }
    const number = /\d/.test(line[place]) ? at(NUMBER, line, place) : "";
    if (number) return ["number", number.length];
    const word = at(spec.dashes ? WORD_DASHED : WORD, line, place);
    if (word) {
      const bare = spec.anyCase ? word.toLowerCase() : word.replace(/^@/, "");
      if (spec.terms.has(bare)) return ["word", word.length];
      const after = line.slice(place + word.length, place + word.length + 3);
      const isName = after.startsWith("(") || word.startsWith("@") || (spec.keys && /^\s*[:=]/.test(after))
        || (spec.markup && after.startsWith("=")) || (spec.dashes && /^\s*:/.test(after));
      return [isName ? "name" : "", word.length];
    }
    return ["", at(BLANK, line, place).length || 1];
  }

  // The parts of a line as [kind, text], and what it leaves open; `open` is what the line before left.
  function line(text, spec, open) {
    if (!spec || text.length > LINE_MAX) return { parts: [["", text]], open: null };
    if (spec.rows) return { parts: [[rowKind(text), text]], open: null };
    const parts = [];
    const add = (kind, part) => {
      const last = parts[parts.length - 1];
      if (last && last[0] === kind) last[1] += part;
      else if (part) parts.push([kind, part]);
    };
    let place = 0;
    if (open) {
      const end = text.indexOf(open.end);
      if (end < 0) return { parts: [[open.kind, text]], open };
      place = end + open.end.length;
      add(open.kind, text.slice(0, place));
    }
    while (place < text.length) {
      const [kind, length, left] = one(text, place, spec);
      add(kind, text.slice(place, place + length));
      place += length;
      if (left) return { parts, open: left };
    }
    return { parts, open: null };
  }

  // How a language is written, by any of its names; nothing for one that is not known.
  function language(name) {
    const low = name.toLowerCase();
    const known = Object.hasOwn(ALIASES, low) ? ALIASES[low] : low;
    return Object.hasOwn(SPECS, known) ? SPECS[known] : null;
  }

  window.waule.highlight = { language, line };
})();
