// Conversations in the studio: answers of up to four models side by side as they are written, each with
// its own speed and cost, its own end and its own failure; what was said can be said again or otherwise.
(() => {
  "use strict";
  // As many calls run at once, one a column; a browser has six connections to a host.
  const MODELS_MAX = 4;
  const { markdown, studio } = window.waule;
  const { costOf, element, estimates, faultOf, post, readEvents, spend } = studio;

  function button(className, text, onClick) {
    const made = element("button", className);
    made.type = "button";
    made.append(element("span", "", text));
    made.addEventListener("click", onClick);
    return made;
  }

  // The choice of models: one, and more beside it.
  function chosenModels(form, words, onChange) {
    const place = form.querySelector("[data-studio=models]");
    const add = form.querySelector("[data-studio=compare]");
    const first = form.elements.namedItem("model");
    const selects = () => [...place.querySelectorAll("select")];

    function tell() {
      add.hidden = selects().length >= Math.min(MODELS_MAX, first.options.length);
      onChange();
    }

    function more(name) {
      const field = element("div", "field field-more");
      const select = first.cloneNode(true);
      const number = selects().length + 1;
      select.id = `f-model-${number}`;
      select.removeAttribute("name");
      select.setAttribute("aria-label", `${words.compare} ${number}`);
      const taken = new Set(selects().map((one) => one.value));
      const free = [...select.options].map((option) => option.value).find((one) => !taken.has(one));
      select.value = name || free;
      window.waule.tellChoice(select);
      const remove = element("button", "icon-button", "×");
      remove.type = "button";
      remove.setAttribute("aria-label", `${words.takeAway} ${number}`);
      remove.addEventListener("click", () => {
        field.remove();
        tell();
        add.focus();
      });
      field.append(select, remove);
      place.append(field);
      tell();
      return select;
    }

    add.addEventListener("click", () => more("").focus());
    place.addEventListener("change", tell);
    const can = (name, what) => {
      const option = [...first.options].find((one) => one.value === name);
      return Boolean(option) && option.dataset.can.split(" ").includes(what);
    };
    return {
      all: () => [...new Set(selects().map((select) => select.value))],
      can,
      fill(names) {
        const known = names.filter((name) => [...first.options].some((option) => option.value === name));
        if (!known.length) return;
        first.value = known[0];
        window.waule.tellChoice(first);
        for (const name of known.slice(1, MODELS_MAX)) more(name);
      },
      tell,
    };
  }

  // The speed of an answer, told once it is there.
  class Pace {
    constructor() {
      this.begun = performance.now();
      this.first = 0;
      this.last = 0;
      this.chunks = 0;
      this.tokens = 0;
    }

    chunk() {
      this.last = performance.now();
      if (!this.first) this.first = this.last;
      this.chunks++;
    }

    text(words) {
      if (!this.first) return "";
      const seconds = (ms) => (ms / 1000).toLocaleString(undefined, { maximumFractionDigits: ms < 10_000 ? 2 : 0 });
      const parts = [words.firstToken.replace("{}", seconds(this.first - this.begun))];
      const took = (this.last - this.first) / 1000;
      const tokens = this.tokens || this.chunks;
      // What comes in one piece has no pace; one token a second is none to speak of.
      const pace = took > 0.05 ? Math.round((tokens - 1) / took) : 0;
      if (pace > 1) parts.push(words.pace.replace("{}", pace.toLocaleString()));
      return parts.join(" · ");
    }
  }

  class Chat {
    constructor(section) {
      this.words = section.dataset;
      this.talk = section.querySelector(".talk");
      this.form = section.querySelector(".composer");
      this.field = this.form.elements.namedItem("message");
      this.sendButton = this.form.querySelector("[data-studio=send]");
      this.stopButton = this.form.querySelector("[data-studio=stop]");
      this.notice = this.form.querySelector("[data-studio=editing]");
      this.code = { copy: this.words.copyWord, code: this.words.codeWord };
      // What was said, turn by turn: a message and the answers to it.
      this.turns = [];
      this.running = new Set();
      this.editing = null;
      // Where what is said is kept, if it is: what stands in place of what was taken away is said to.
      this.memory = window.waule.memory ? window.waule.memory.conversation(this.form) : null;
      this.instead = null;
      this.settings = studio.settings(this.form, this.words.person);
      this.models = chosenModels(this.form, this.words, () => this.chose());
      this.pictures = studio.pictures(this.form, this.words, () => this.sees());
      this.adopt();
      // An address that names a model means it.
      // Whoever goes on in a conversation asks the models that answered last.
      const last = this.turns.at(-1);
      const before = last ? last.answers.map((answer) => answer.model) : this.settings.kept().models || [];
      if (!new URLSearchParams(location.search).has("model")) this.models.fill(before);
      this.models.tell();
      this.listen();
      this.down();
    }

    sees() {
      return this.models.all().every((name) => this.models.can(name, "vision"));
    }

    chose() {
      const effort = this.form.querySelector("[data-studio=effort]");
      if (effort) effort.hidden = !this.models.all().some((name) => this.models.can(name, "reasoning"));
      if (this.pictures) this.pictures.offer();
    }

    down() {
      this.talk.scrollTop = this.talk.scrollHeight;
    }

    // Keeps the end in sight where it was in sight.
    following(change) {
      const near = this.talk.scrollHeight - this.talk.scrollTop - this.talk.clientHeight < 80;
      change();
      if (near) this.down();
    }

    // What the page came with: the same articles, as if they had been said here.
    adopt() {
      let said = [];
      try {
        said = JSON.parse(this.form.elements.namedItem("history").value || "[]");
      } catch {
        said = [];
      }
      const articles = [...this.talk.querySelectorAll(".said")];
      (Array.isArray(said) ? said : []).forEach(({ role, content, images, model, turn: number }, at) => {
        const article = articles[at];
        if (!article || typeof content !== "string") return;
        if (role === "user") {
          const turn = { content, images: images || [], article, answers: [], columns: null, number };
          this.turns.push(turn);
          this.userActions(turn);
        } else if (this.turns.length) {
          const name = model || this.form.elements.namedItem("model").value;
          const turn = this.turns.at(-1);
          const answer = { model: name, text: content, article, isGood: Boolean(content) };
          turn.answers.push(answer);
          turn.columns = article.closest(".answers");
          for (const place of article.querySelectorAll(".said-text")) markdown.show(place, place.textContent, this.code);
          this.answerActions(turn, answer);
        }
      });
    }

    // --- What is on the page ---

    article(role, who) {
      const article = element("article", `said said-${role}`);
      article.append(element("p", "said-who", who), element("div", "said-text"));
      return article;
    }

    show(turn) {
      const empty = this.talk.querySelector(".talk-empty");
      if (empty) empty.remove();
      turn.article = this.article("user", this.words.you);
      turn.article.querySelector(".said-text").textContent = turn.content;
      if (turn.images.length) {
        const strip = element("div", "said-pictures");
        for (const address of turn.images) {
          const picture = element("img");
          picture.src = address;
          picture.alt = this.words.picture;
          strip.append(picture);
        }
        turn.article.append(strip);
      }
      this.userActions(turn);
      this.talk.append(turn.article);
    }

    userActions(turn) {
      const actions = element("div", "said-actions");
      actions.append(
        button("quiet", this.words.edit, () => this.edit(turn)),
        button("quiet", this.words.remove, () => this.cut(turn, true)),
      );
      turn.article.append(actions);
    }

    answerActions(turn, answer) {
      answer.article.querySelectorAll(".said-actions").forEach((old) => old.remove());
      const actions = element("div", "said-actions");
      if (answer.text) {
        const copy = button("quiet", this.words.copyWord, () => window.waule.copy(copy, answer.text));
        actions.append(copy);
      }
      const again = answer.isGood ? this.words.again : this.words.retry;
      actions.append(button("quiet", again, () => this.again(turn, answer)));
      answer.article.append(actions);
    }

    // The columns of a turn, where there are several answers.
    place(turn, count) {
      if (count < 2) return this.talk;
      turn.columns = element("div", `answers answers-${count}`);
      this.talk.append(turn.columns);
      return turn.columns;
    }

    // --- What is said ---

    // The messages before an answer: a model's own answers where it gave them, else the first good one.
    messages(model, turn) {
      const sees = this.models.can(model, "vision");
      const found = [];
      for (const one of this.turns) {
        const message = { role: "user", content: one.content };
        if (sees && one.images.length) message.images = one.images;
        found.push(message);
        if (one === turn) break;
        const said = one.answers.find((answer) => answer.model === model && answer.text) || one.answers.find((answer) => answer.text);
        if (said) found.push({ role: "assistant", content: said.text });
      }
      return found;
    }

    body(model, messages) {
      const settings = this.settings.sent(this.models.can(model, "reasoning"));
      return Object.keys(settings).length ? { model, messages, settings } : { model, messages };
    }

    keep() {
      const said = this.turns.flatMap(({ content, answers }) => {
        const first = answers.find((answer) => answer.text);
        const asked = { role: "user", content };
        return first ? [asked, { role: "assistant", content: first.text }] : [asked];
      });
      this.form.elements.namedItem("history").value = JSON.stringify(said);
    }

    busy(isBusy) {
      this.sendButton.hidden = isBusy;
      this.stopButton.hidden = !isBusy;
      this.talk.classList.toggle("is-busy", isBusy);
    }

    submit() {
      const content = this.field.value.trim();
      if (!content || this.running.size) return;
      const images = this.pictures.all();
      if (images.length && !this.sees()) return void window.waule.toast(this.words.noVision, false);
      if (this.editing) this.cut(this.editing, false);
      this.stopEditing();
      const models = this.models.all();
      this.settings.keep({ models });
      const turn = { content, images, article: null, answers: [], columns: null };
      this.turns.push(turn);
      this.show(turn);
      this.field.value = "";
      this.pictures.clear();
      this.field.dispatchEvent(new Event("input", { bubbles: true }));
      const place = this.place(turn, models.length);
      const kept = this.anew();
      models.forEach((model, answer) => this.answer(turn, model, { place, kept: kept && { ...kept, answer } }));
      this.down();
    }

    kept(where) {
      return this.memory ? this.memory.turn(where) : null;
    }

    // Where a new message goes: in the place of the first one that was taken away, until one stands there.
    anew() {
      return this.kept(this.instead === null ? {} : { instead: this.instead });
    }

    // Takes a turn and what follows it away.
    cut(turn, isAsked) {
      const at = this.turns.indexOf(turn);
      if (at < 0) return;
      const gone = this.turns.splice(at);
      const first = gone.find((one) => one.number !== undefined);
      if (first) this.instead = first.number;
      for (const one of gone) {
        one.answers.forEach((answer) => answer.stop && answer.stop());
        one.answers.forEach((answer) => answer.article.remove());
        if (one.columns) one.columns.remove();
        one.article.remove();
      }
      this.keep();
      if (!isAsked) return;
      if (this.editing && !this.turns.includes(this.editing)) this.stopEditing();
      window.waule.announce(this.words.removed);
      this.field.focus();
      this.field.dispatchEvent(new Event("input", { bubbles: true }));
    }

    edit(turn) {
      if (this.running.size) return;
      this.editing = turn;
      this.talk.querySelectorAll(".is-edited").forEach((article) => article.classList.remove("is-edited"));
      turn.article.classList.add("is-edited");
      const follows = this.turns.length - 1 - this.turns.indexOf(turn);
      this.notice.querySelector("span").textContent = follows || turn.answers.length ? this.words.editCuts : this.words.editPlain;
      this.notice.hidden = false;
      this.field.value = turn.content;
      this.pictures.fill(turn.images);
      this.field.focus();
      this.field.dispatchEvent(new Event("input", { bubbles: true }));
    }

    stopEditing() {
      if (this.editing) this.editing.article.classList.remove("is-edited");
      this.editing = null;
      this.notice.hidden = true;
    }

    // The same question once more; what came after it was of another answer.
    again(turn, answer) {
      if (this.running.size) return;
      const at = this.turns.indexOf(turn);
      const next = this.turns[at + 1];
      if (next) this.cut(next, false);
      const place = answer.article.parentElement;
      const after = answer.article.nextSibling;
      turn.answers = turn.answers.filter((other) => other !== answer);
      answer.article.remove();
      // What was refused is kept nowhere yet.
      const kept = turn.number === undefined ? this.anew() : this.kept({ again: turn.number });
      this.answer(turn, answer.model, { place, before: after, kept, old: answer });
      if (next) window.waule.announce(this.words.removed);
    }

    // What a model answered before stays at hand under its new answer: it was paid for.
    earlier(article, old) {
      const before = old.article.querySelector(".said-earlier");
      if (!old.text) return void (before && article.append(before));
      const folded = before || element("details", "said-earlier");
      if (!before) folded.append(element("summary", "", this.words.earlier));
      folded.append(old.article.querySelector(".said-text"));
      folded.append(...old.article.querySelectorAll(":scope > .said-cost"));
      article.append(folded);
    }

    async answer(turn, model, { place, before = null, kept = null, old = null }) {
      const article = this.article("assistant", model);
      const controller = new AbortController();
      const answer = { model, text: "", article, isGood: false, stop: () => controller.abort() };
      turn.answers.push(answer);
      article.classList.add("is-coming");
      // Read to the end, not word by word, by those who hear it.
      article.setAttribute("aria-busy", "true");
      if (old) this.earlier(article, old);
      if (turn.columns) article.append(this.ownStop(controller, model));
      place.insertBefore(article, before);
      this.running.add(controller);
      this.busy(true);
      const text = article.querySelector(".said-text");
      const stream = new markdown.Stream(text, this.code, () => this.following(() => {}));
      const told = await this.ask(turn, answer, { controller, stream, kept });
      stream.end();
      this.following(() => this.finish(turn, answer, told));
      this.running.delete(controller);
      if (!this.running.size) {
        this.busy(false);
        this.keep();
      }
    }

    ownStop(controller, model) {
      const actions = element("div", "said-actions");
      const stop = button("quiet", this.words.halt, () => controller.abort());
      stop.setAttribute("aria-label", `${this.words.halt}: ${model}`);
      actions.append(stop);
      return actions;
    }

    // Asks and takes what comes; what was told beside the text.
    async ask(turn, answer, { controller, stream, kept }) {
      const told = { fault: "", stopped: false, charged: null, pace: new Pace() };
      const take = (name, data) => {
        // Why, in the reader's language; it comes after what the API says to programs.
        if (name === "failed") return void (told.fault = JSON.parse(data).message);
        if (name === "charged") {
          told.charged = JSON.parse(data);
          return void spend(told.charged.credits);
        }
        if (name === "kept") {
          const where = JSON.parse(data);
          // A turn that is kept stands where another one was taken away.
          if (turn.number === undefined) this.instead = null;
          turn.number = where.turn;
          return void this.memory?.took(where);
        }
        if (name === "unkept") return void answer.article.append(element("p", "said-cost", JSON.parse(data).message));
        if (data === "[DONE]") return;
        const chunk = JSON.parse(data);
        if (chunk.error) told.fault = this.words.broke;
        if (chunk.usage && chunk.usage.completion_tokens) told.pace.tokens = chunk.usage.completion_tokens;
        const delta = chunk.choices && chunk.choices[0] && chunk.choices[0].delta;
        if (!delta || !delta.content) return;
        told.pace.chunk();
        answer.text += delta.content;
        stream.push(delta.content);
      };
      try {
        const body = this.body(answer.model, this.messages(answer.model, turn));
        if (kept) body.kept = kept;
        const got = await post(this.words.chat, body, controller.signal);
        if (!got.ok || !got.body) told.fault = await faultOf(got);
        else await readEvents(got, take);
      } catch (error) {
        told.stopped = error instanceof DOMException && error.name === "AbortError";
        if (!told.stopped) told.fault = this.words.failed;
      }
      return told;
    }

    finish(turn, answer, { fault, stopped, charged, pace }) {
      const { article, text } = answer;
      article.classList.remove("is-coming");
      article.removeAttribute("aria-busy");
      answer.isGood = Boolean(text) && !fault;
      answer.stop = null;
      if (fault) article.classList.add("is-wrong");
      if (!text) article.querySelector(".said-text").textContent = stopped ? "" : fault || this.words.failed;
      else if (fault) article.append(element("p", "said-cost", fault));
      if (stopped) article.append(element("p", "said-cost", this.words.stopped));
      const speed = pace.text(this.words);
      if (charged) {
        const line = costOf(this.words, charged.credits, charged.call);
        if (speed) line.append(element("span", "said-speed", speed));
        article.append(line);
      } else if (speed) {
        article.append(element("p", "said-cost", speed));
      }
      const earlier = article.querySelector(".said-earlier");
      if (earlier) article.append(earlier);
      this.answerActions(turn, answer);
    }

    // --- What the person does ---

    listen() {
      const { form, field } = this;
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.submit();
      }, true);
      this.stopButton.addEventListener("click", () => this.running.forEach((controller) => controller.abort()));
      // Enter sends, Shift and Enter begin a line; not while a Chinese word is being chosen.
      field.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && this.editing) {
          this.stopEditing();
          return;
        }
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        form.requestSubmit();
      });
      this.notice.querySelector("button").addEventListener("click", () => {
        this.stopEditing();
        this.field.value = "";
        this.pictures.clear();
        this.field.focus();
      });
      estimates(form, () => {
        const text = field.value.trim();
        if (!text) return [];
        const before = this.editing ? this.turns.indexOf(this.editing) : this.turns.length;
        const images = this.pictures.all();
        return this.models.all().map((model) => {
          const kept = before > 0 ? this.upTo(model, this.turns[before - 1]) : [];
          const message = { role: "user", content: text };
          if (images.length && this.models.can(model, "vision")) message.images = images;
          return this.body(model, [...kept, message]);
        });
      });
    }

    // The messages up to a turn and its answer.
    upTo(model, turn) {
      const found = this.messages(model, turn);
      const said = turn.answers.find((answer) => answer.model === model && answer.text) || turn.answers.find((answer) => answer.text);
      return said ? [...found, { role: "assistant", content: said.text }] : found;
    }
  }

  const section = document.querySelector("[data-chat]");
  if (section) new Chat(section);
})();
