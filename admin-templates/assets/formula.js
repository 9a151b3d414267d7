// Formulas: the part of TeX that models write, as MathML that the browser sets itself. What is not
// understood is no formula here: `read` answers nothing, and the source is shown.
(() => {
  "use strict";
  const MATHML = "http://www.w3.org/1998/Math/MathML";
  // Nobody writes longer or deeper ones on purpose.
  const SOURCE_MAX = 4000;
  const DEPTH_MAX = 48;

  const pairs = (text) => Object.fromEntries(text.trim().split(/\s+/).map((pair) => pair.split("=")));
  const LETTERS = pairs(`alpha=α beta=β gamma=γ delta=δ epsilon=ϵ varepsilon=ε zeta=ζ eta=η theta=θ vartheta=ϑ iota=ι
    kappa=κ lambda=λ mu=μ nu=ν xi=ξ pi=π varpi=ϖ rho=ρ varrho=ϱ sigma=σ varsigma=ς tau=τ upsilon=υ phi=ϕ varphi=φ
    chi=χ psi=ψ omega=ω Gamma=Γ Delta=Δ Theta=Θ Lambda=Λ Xi=Ξ Pi=Π Sigma=Σ Upsilon=Υ Phi=Φ Psi=Ψ Omega=Ω
    infty=∞ partial=∂ nabla=∇ hbar=ℏ ell=ℓ Re=ℜ Im=ℑ aleph=ℵ emptyset=∅ varnothing=∅ top=⊤ bot=⊥ angle=∠
    prime=′ degree=° dots=… ldots=… cdots=⋯ vdots=⋮ ddots=⋱ forall=∀ exists=∃ nexists=∄ imath=ı jmath=ȷ`);
  const SIGNS = pairs(`times=× cdot=⋅ div=÷ pm=± mp=∓ ast=∗ star=⋆ circ=∘ bullet=• oplus=⊕ ominus=⊖ otimes=⊗ odot=⊙
    le=≤ leq=≤ ge=≥ geq=≥ ne=≠ neq=≠ ll=≪ gg=≫ approx=≈ equiv=≡ sim=∼ simeq=≃ cong=≅ propto=∝ to=→ rightarrow=→
    leftarrow=← gets=← leftrightarrow=↔ Rightarrow=⇒ Leftarrow=⇐ Leftrightarrow=⇔ implies=⟹ iff=⟺ mapsto=↦ uparrow=↑
    downarrow=↓ longrightarrow=⟶ in=∈ notin=∉ ni=∋ subset=⊂ subseteq=⊆ supset=⊃ supseteq=⊇ cup=∪ cap=∩ setminus=∖
    wedge=∧ land=∧ vee=∨ lor=∨ neg=¬ lnot=¬ perp=⊥ parallel=∥ mid=∣ vdash=⊢ models=⊨ therefore=∴ because=∵ colon=:
    langle=⟨ rangle=⟩ lfloor=⌊ rfloor=⌋ lceil=⌈ rceil=⌉ lvert=| rvert=| lVert=‖ rVert=‖ vert=| Vert=‖ backslash=\\`);
  const LARGE = pairs("sum=∑ prod=∏ coprod=∐ bigcup=⋃ bigcap=⋂ bigoplus=⨁ bigotimes=⨂");
  const INTEGRALS = pairs("int=∫ iint=∬ iiint=∭ oint=∮");
  const NAMES = new Set(
    "sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan log ln lg exp det dim ker gcd deg arg hom Pr".split(" "),
  );
  const LIMITS = new Set("lim max min sup inf limsup liminf argmax argmin".split(" "));
  const ACCENTS = pairs("hat=^ widehat=^ bar=¯ overline=¯ vec=→ tilde=~ widetilde=~ dot=˙ ddot=¨ underline=_");
  const SPACES = { ",": "0.17em", ":": "0.22em", ";": "0.28em", "!": "0em", " ": "0.33em", quad: "1em", qquad: "2em", enspace: "0.5em" };
  const FENCES = { matrix: ["", ""], pmatrix: ["(", ")"], bmatrix: ["[", "]"], Bmatrix: ["{", "}"], vmatrix: ["|", "|"], Vmatrix: ["‖", "‖"], cases: ["{", ""], aligned: ["", ""], align: ["", ""], "align*": ["", ""], gathered: ["", ""], smallmatrix: ["", ""] };
  // Where the plain and the styled letters begin, and those that stand elsewhere in Unicode.
  const STYLES = {
    mathbb: { upper: 0x1d538, lower: 0x1d552, digit: 0x1d7d8, odd: pairs("C=ℂ H=ℍ N=ℕ P=ℙ Q=ℚ R=ℝ Z=ℤ") },
    mathcal: { upper: 0x1d49c, lower: 0x1d4b6, odd: pairs("B=ℬ E=ℰ F=ℱ H=ℋ I=ℐ L=ℒ M=ℳ R=ℛ e=ℯ g=ℊ o=ℴ") },
    mathbf: { upper: 0x1d400, lower: 0x1d41a, digit: 0x1d7ce, odd: {} },
    mathfrak: { upper: 0x1d504, lower: 0x1d51e, odd: pairs("C=ℭ H=ℌ I=ℑ R=ℜ Z=ℨ") },
    mathscr: { upper: 0x1d49c, lower: 0x1d4b6, odd: pairs("B=ℬ E=ℰ F=ℱ H=ℋ I=ℐ L=ℒ M=ℳ R=ℛ e=ℯ g=ℊ o=ℴ") },
    boldsymbol: { upper: 0x1d400, lower: 0x1d41a, digit: 0x1d7ce, odd: {} },
  };
  const TEXTS = new Set(["text", "mathrm", "operatorname", "textbf", "textit", "mathsf", "mathtt", "mathit", "textrm"]);

  class Unknown extends Error {}

  function node(name, ...children) {
    const made = document.createElementNS(MATHML, name);
    made.append(...children);
    return made;
  }

  const row = (nodes) => (nodes.length === 1 ? nodes[0] : node("mrow", ...nodes));

  function styled(text, style) {
    const { upper, lower, digit, odd } = STYLES[style];
    return [...text].map((letter) => {
      if (Object.hasOwn(odd, letter)) return odd[letter];
      if (letter >= "A" && letter <= "Z") return String.fromCodePoint(upper + letter.charCodeAt(0) - 65);
      if (letter >= "a" && letter <= "z") return String.fromCodePoint(lower + letter.charCodeAt(0) - 97);
      if (digit && letter >= "0" && letter <= "9") return String.fromCodePoint(digit + Number(letter));
      return letter;
    }).join("");
  }

  const TOKEN = /\\(?:[A-Za-z]+\*?|[\s\S])|\d+(?:\.\d+)?|\s+|[\s\S]/gu;

  class Reader {
    constructor(source) {
      this.tokens = source.match(TOKEN) || [];
      this.place = 0;
      this.depth = 0;
    }

    peek() {
      return this.tokens[this.place];
    }

    blanks() {
      while (/^\s/.test(this.peek() || "")) this.place++;
    }

    next() {
      return this.tokens[this.place++];
    }

    // What stands in braces, as it is written.
    raw() {
      this.blanks();
      if (this.next() !== "{") throw new Unknown();
      const from = this.place;
      let open = 1;
      while (open > 0) {
        const token = this.next();
        if (token === undefined) throw new Unknown();
        if (token === "{") open++;
        if (token === "}") open--;
      }
      return this.tokens.slice(from, this.place - 1).join("");
    }

    // One thing: a group in braces, a command with what belongs to it, or a letter.
    argument() {
      if (++this.depth > DEPTH_MAX) throw new Unknown();
      this.blanks();
      const made = this.peek() === "{" ? this.group() : this.atom();
      this.depth--;
      return made;
    }

    group() {
      this.next();
      const inside = this.until((token) => token === "}");
      this.next();
      return row(inside);
    }

    until(isEnd) {
      if (++this.depth > DEPTH_MAX) throw new Unknown();
      const found = [];
      for (;;) {
        this.blanks();
        const token = this.peek();
        if (token === undefined) {
          if (this.depth > 1) throw new Unknown();
          break;
        }
        if (isEnd(token)) break;
        if (token === "}" || token === "&" || token === "\\\\" || token === "\\right" || token === "\\end") throw new Unknown();
        found.push(this.scripted());
      }
      this.depth--;
      return found;
    }

    // Something with what stands above and below it.
    scripted() {
      const base = this.peek() === "^" || this.peek() === "_" ? node("mrow") : this.argument();
      let below = null;
      let above = null;
      for (;;) {
        this.blanks();
        const token = this.peek();
        if (token === "_" && !below) {
          this.next();
          below = this.argument();
        } else if (token === "^" && !above) {
          this.next();
          above = this.argument();
        } else if (token === "'" && !above) {
          let primes = "";
          while (this.peek() === "'") primes += this.next() && "′";
          above = node("mo", primes);
        } else {
          break;
        }
      }
      const wide = base.isWide;
      if (below && above) return node(wide ? "munderover" : "msubsup", base, below, above);
      if (below) return node(wide ? "munder" : "msub", base, below);
      if (above) return node(wide ? "mover" : "msup", base, above);
      return base;
    }

    atom() {
      const token = this.next();
      if (token === undefined || token === "}" || token === "&" || token === "^" || token === "_") throw new Unknown();
      if (token.startsWith("\\")) return this.command(token.slice(1));
      if (/^\d/.test(token)) return node("mn", token);
      if (/^\p{L}$/u.test(token)) return node("mi", token);
      if (/^[-+*/=<>()[\]|,.;:!?~]$/.test(token)) {
        if (token === "~") return space("0.33em");
        const sign = node("mo", token === "-" ? "−" : token);
        if (/[()[\]|]/.test(token)) sign.setAttribute("stretchy", "false");
        return sign;
      }
      throw new Unknown();
    }

    command(name) {
      if (Object.hasOwn(LETTERS, name)) return node("mi", LETTERS[name]);
      if (Object.hasOwn(SIGNS, name)) return node("mo", SIGNS[name]);
      if (Object.hasOwn(INTEGRALS, name)) return node("mo", INTEGRALS[name]);
      if (Object.hasOwn(SPACES, name)) return space(SPACES[name]);
      if (Object.hasOwn(ACCENTS, name)) return this.accent(name);
      if (Object.hasOwn(STYLES, name)) return node("mi", styled(this.raw(), name));
      if (Object.hasOwn(LARGE, name)) return wide(node("mo", LARGE[name]));
      if (LIMITS.has(name)) return wide(node("mo", name));
      if (NAMES.has(name)) return node("mi", name);
      if (TEXTS.has(name)) return node("mtext", this.raw());
      if (name === "operatorname*") return wide(node("mo", this.raw()));
      switch (name) {
        case "frac": case "dfrac": case "tfrac": case "cfrac":
          return node("mfrac", this.argument(), this.argument());
        case "binom": {
          const parts = node("mfrac", this.argument(), this.argument());
          parts.setAttribute("linethickness", "0");
          return node("mrow", node("mo", "("), parts, node("mo", ")"));
        }
        case "sqrt": return this.root();
        case "left": return this.fenced();
        case "begin": return this.table();
        case "overset": case "stackrel": {
          const above = this.argument();
          return node("mover", this.argument(), above);
        }
        case "underset": {
          const below = this.argument();
          return node("munder", this.argument(), below);
        }
        case "{": case "}": case "|": case "%": case "$": case "&": case "_": case "#":
          return node("mo", name === "|" ? "‖" : name);
        case "displaystyle": case "textstyle": case "limits": case "nolimits": case "big": case "Big": case "bigl":
        case "bigr": case "Bigl": case "Bigr":
          return node("mrow");
        default:
          throw new Unknown();
      }
    }

    accent(name) {
      const below = name === "underline";
      const made = node(below ? "munder" : "mover", this.argument(), node("mo", ACCENTS[name]));
      made.setAttribute(below ? "accentunder" : "accent", "true");
      return made;
    }

    root() {
      this.blanks();
      if (this.peek() !== "[") return node("msqrt", this.argument());
      this.next();
      const degree = row(this.until((token) => token === "]"));
      this.next();
      return node("mroot", this.argument(), degree);
    }

    fence() {
      this.blanks();
      const token = this.next() || "";
      if (token === ".") return "";
      const name = token.slice(1);
      if (/^[()[\]|/<>]$/.test(token)) return token;
      if (name === "{" || name === "}") return name;
      if (name === "|") return "‖";
      if (token.startsWith("\\") && Object.hasOwn(SIGNS, name)) return SIGNS[name];
      throw new Unknown();
    }

    fenced() {
      const begin = this.fence();
      const inside = this.until((token) => token === "\\right" || token === "\\middle");
      while (this.peek() === "\\middle") {
        this.next();
        inside.push(node("mo", this.fence()), ...this.until((token) => token === "\\right" || token === "\\middle"));
      }
      this.next();
      const end = this.fence();
      return node("mrow", ...(begin ? [node("mo", begin)] : []), ...inside, ...(end ? [node("mo", end)] : []));
    }

    table() {
      const name = this.raw();
      if (!Object.hasOwn(FENCES, name)) throw new Unknown();
      const rows = [[]];
      for (;;) {
        const cell = this.until((token) => token === "&" || token === "\\\\" || token === "\\end");
        rows[rows.length - 1].push(node("mtd", ...cell));
        const end = this.next();
        if (end === "\\\\") rows.push([]);
        if (end === "\\end") break;
      }
      if (this.raw() !== name) throw new Unknown();
      // A row that was begun and not filled is the end of the one before.
      const full = rows.filter((cells) => cells.length > 1 || cells[0].childNodes.length > 0);
      const table = node("mtable", ...full.map((cells) => node("mtr", ...cells)));
      if (name.startsWith("align")) table.setAttribute("class", "aligned");
      if (name === "cases") table.setAttribute("class", "cases");
      const [begin, end] = FENCES[name];
      return node("mrow", ...(begin ? [node("mo", begin)] : []), table, ...(end ? [node("mo", end)] : []));
    }
  }

  function space(width) {
    const made = node("mspace");
    made.setAttribute("width", width);
    return made;
  }

  // What carries its bounds above and below it.
  function wide(made) {
    made.isWide = true;
    made.setAttribute("movablelimits", "true");
    return made;
  }

  // The formula, or nothing where a part of it is not understood.
  function read(source, display) {
    if (source.length > SOURCE_MAX || !source.trim()) return null;
    try {
      const made = node("math", ...new Reader(source).until(() => false));
      made.setAttribute("alttext", source.trim());
      if (display) made.setAttribute("display", "block");
      return made;
    } catch (error) {
      if (error instanceof Unknown) return null;
      throw error;
    }
  }

  window.waule.formula = { read };
})();
