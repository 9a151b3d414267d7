// The studio: conversations that come as they are written, images without leaving the page, and
// what either costs before and after. Without it the same forms are posted as pages.
(() => {
  "use strict";
  const token = document.querySelector("meta[name=csrf]");
  const headers = { "content-type": "application/json", "x-csrf-token": token ? token.content : "" };

  async function post(path, body, signal) {
    const text = JSON.stringify(body);
    const answer = await fetch(path, { method: "POST", headers, body: text, signal, credentials: "same-origin" });
    // The session is over: the page itself leads to signing in and back.
    if (answer.redirected || answer.status === 401) location.reload();
    return answer;
  }

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // Amounts are decimal text with at most six places; whole micro-credits keep them exact.
  function micros(text) {
    const parts = /^(-?)(\d+)(?:\.(\d{1,6}))?$/.exec(String(text).replaceAll(",", "").trim());
    if (!parts) return null;
    const size = BigInt(parts[2]) * 1000000n + BigInt((parts[3] || "").padEnd(6, "0"));
    return parts[1] ? -size : size;
  }

  // What is left goes down by what was charged, until the next page tells it anew.
  function spend(charged) {
    const place = document.querySelector("[data-studio=balance]");
    const [left, amount] = [place && micros(place.textContent), micros(charged)];
    if (left === null || amount === null) return;
    const rest = left > amount ? left - amount : 0n;
    const whole = String(rest / 1000000n).replace(/\B(?=(\d{3})+$)/g, ",");
    const decimals = String(rest % 1000000n).padStart(6, "0").replace(/0+$/, "");
    place.textContent = decimals ? `${whole}.${decimals}` : whole;
  }

  // What a call cost, leading to its story.
  function costOf(words, credits, call) {
    const line = element("p", "said-cost", `${words.charged} `);
    if (call) {
      const link = element("a", "", credits);
      link.href = `/portal/usage/${encodeURIComponent(call)}`;
      line.append(link);
    } else {
      line.append(credits);
    }
    return line;
  }

  async function faultOf(answer) {
    try {
      const { error } = await answer.json();
      return (error && error.message) || `HTTP ${answer.status}`;
    } catch {
      return `HTTP ${answer.status}`;
    }
  }

  // What sending would cost, asked when typing pauses.
  function estimates(form, body) {
    const place = form.querySelector("[data-studio=estimate]");
    const path = form.dataset.estimate;
    if (!place || !path) return;
    let timer = 0;
    let asked = 0;
    const ask = async () => {
      const wanted = body();
      const mine = ++asked;
      if (!wanted) return void (place.textContent = "");
      const answer = await post(path, wanted).catch(() => null);
      if (mine !== asked) return;
      if (!answer || !answer.ok) return void (place.textContent = "");
      const estimate = await answer.json().catch(() => null);
      if (!estimate || mine !== asked) return;
      const { credits_about: about, credits_max: most } = estimate;
      const { atMost, unit, willCost } = place.dataset;
      const amount = about === most ? `${willCost} ${most}` : `${willCost} ${about}${atMost} ${most}`;
      place.textContent = `${amount} ${unit}`;
    };
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(ask, 350);
    };
    form.addEventListener("input", later);
    form.addEventListener("change", later);
    later();
  }

  // Inline code and bold; everything is text, nothing becomes markup.
  function inline(into, text) {
    for (const part of text.split(/(`[^`\n]+`|\*\*[^*\n]+\*\*)/)) {
      if (part.length > 2 && part.startsWith("`") && part.endsWith("`")) {
        into.append(element("code", "", part.slice(1, -1)));
      } else if (part.length > 4 && part.startsWith("**") && part.endsWith("**")) {
        into.append(element("strong", "", part.slice(2, -2)));
      } else if (part) {
        into.append(part);
      }
    }
  }

  // Paragraphs, lists, headings and code as models write them.
  function rich(place, text) {
    place.classList.add("is-rich");
    place.replaceChildren();
    let list = null;
    let paragraph = null;
    let code = null;
    for (const line of text.split("\n")) {
      if (line.trimStart().startsWith("```")) {
        list = paragraph = null;
        if (code) {
          code = null;
        } else {
          const frame = element("pre", "code");
          code = element("code");
          frame.append(code);
          place.append(frame);
        }
        continue;
      }
      if (code) {
        code.append(code.textContent ? `\n${line}` : line);
        continue;
      }
      const item = /^\s*(?:[-*]|(\d+)[.)])\s+(.*)$/.exec(line);
      const heading = /^#{1,6}\s+(.*)$/.exec(line);
      if (item) {
        paragraph = null;
        const name = item[1] ? "OL" : "UL";
        if (!list || list.tagName !== name) {
          list = element(name);
          if (item[1]) list.start = Number(item[1]);
          place.append(list);
        }
        const point = element("li");
        inline(point, item[2]);
        list.append(point);
      } else if (heading) {
        list = paragraph = null;
        const head = element("p");
        head.append(element("strong", "", heading[1]));
        place.append(head);
      } else if (!line.trim()) {
        list = paragraph = null;
      } else {
        list = null;
        if (paragraph) {
          paragraph.append(element("br"));
        } else {
          paragraph = element("p");
          place.append(paragraph);
        }
        inline(paragraph, line);
      }
    }
  }

  // Server-sent events of an answer to POST, which EventSource cannot ask for.
  async function readEvents(answer, onEvent) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      rest += done ? "\n\n" : value.replaceAll("\r\n", "\n");
      let end;
      while ((end = rest.indexOf("\n\n")) >= 0) {
        let name = "message";
        const data = [];
        for (const line of rest.slice(0, end).split("\n")) {
          if (line.startsWith("event:")) name = line.slice(6).trim();
          else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
        }
        rest = rest.slice(end + 2);
        if (data.length) onEvent(name, data.join("\n"));
      }
      if (done) return;
    }
  }

  function chat(studio) {
    const talk = studio.querySelector(".talk");
    const form = studio.querySelector(".composer");
    const field = form.elements.namedItem("message");
    const send = form.querySelector("[data-studio=send]");
    const stop = form.querySelector("[data-studio=stop]");
    const words = studio.dataset;
    const kept = window.waule.memory.conversation(form);
    let running = null;
    let messages = [];
    try {
      messages = JSON.parse(form.elements.namedItem("history").value || "[]");
    } catch {
      messages = [];
    }
    if (!Array.isArray(messages)) messages = [];
    // An answer that did not come says nothing to the next one.
    messages = messages.filter((message) => message.content);
    const down = () => { talk.scrollTop = talk.scrollHeight; };

    function say(role, text) {
      const empty = talk.querySelector(".talk-empty");
      if (empty) empty.remove();
      const article = element("article", `said said-${role}`);
      article.append(element("p", "said-who", role === "user" ? words.you : form.elements.namedItem("model").value || words.model));
      const place = element("div", "said-text", text);
      article.append(place);
      talk.append(article);
      down();
      return { article, place };
    }

    async function answer() {
      const { article, place } = say("assistant", "");
      article.classList.add("is-coming");
      running = new AbortController();
      send.hidden = true;
      stop.hidden = false;
      let text = "";
      let fault = "";
      let drawn = 0;
      const draw = () => {
        drawn = 0;
        const near = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 80;
        rich(place, text);
        if (near) down();
      };
      const take = (name, data) => {
        // Why, in the reader's language; it comes after what the API says to programs.
        if (name === "failed") {
          fault = JSON.parse(data).message;
          return;
        }
        if (name === "charged") {
          const { credits, call } = JSON.parse(data);
          article.append(costOf(words, credits, call));
          return void spend(credits);
        }
        if (name === "kept") return void (kept && kept.took(JSON.parse(data)));
        if (name === "unkept") return void article.append(element("p", "said-cost", JSON.parse(data).message));
        if (data === "[DONE]") return;
        const chunk = JSON.parse(data);
        if (chunk.error) fault = words.broke;
        const delta = chunk.choices && chunk.choices[0] && chunk.choices[0].delta;
        if (!delta || !delta.content) return;
        text += delta.content;
        if (!drawn) drawn = requestAnimationFrame(draw);
      };
      try {
        const body = { model: form.elements.namedItem("model").value, messages, kept: kept && kept.turn() };
        const got = await post(words.chat, body, running.signal);
        if (!got.ok || !got.body) fault = await faultOf(got);
        else await readEvents(got, take);
      } catch (error) {
        const stopped = error instanceof DOMException && error.name === "AbortError";
        fault = stopped ? "" : words.failed;
        if (stopped) article.append(element("p", "said-cost", words.stopped));
      }
      cancelAnimationFrame(drawn);
      if (text) {
        draw();
        messages.push({ role: "assistant", content: text });
      }
      if (fault || !text) {
        if (fault) article.classList.add("is-wrong");
        if (!text) place.textContent = fault || words.failed;
        else if (fault) article.append(element("p", "said-cost", fault));
      }
      article.classList.remove("is-coming");
      form.elements.namedItem("history").value = JSON.stringify(messages);
      running = null;
      send.hidden = false;
      stop.hidden = true;
      down();
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (!text || running) return;
      say("user", text);
      messages.push({ role: "user", content: text });
      field.value = "";
      field.dispatchEvent(new Event("input", { bubbles: true }));
      answer();
    }, true);
    stop.addEventListener("click", () => { if (running) running.abort(); });
    // Enter sends, Shift and Enter begin a line; not while a Chinese word is being chosen.
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    estimates(form, () => {
      const text = field.value.trim();
      if (!text) return null;
      return { model: form.elements.namedItem("model").value, messages: [...messages, { role: "user", content: text }] };
    });
    for (const place of talk.querySelectorAll(".said-assistant .said-text")) rich(place, place.textContent);
    down();
  }

  function images(form) {
    const pictures = document.querySelector("[data-studio=pictures]");
    const send = form.querySelector("[data-studio=send]");
    const words = form.dataset;
    const body = () => {
      const data = Object.fromEntries(new FormData(form));
      delete data.csrf;
      data.n = Math.max(1, Number.parseInt(data.n, 10) || 1);
      return data.prompt && data.prompt.trim() ? data : null;
    };

    function waiting(prompt) {
      const figure = element("figure", "picture is-coming");
      figure.append(element("span", "picture-gone"));
      const caption = element("figcaption");
      caption.append(element("p", "picture-prompt", prompt), element("p", "picture-note", words.busy));
      figure.append(caption);
      pictures.prepend(figure);
      return figure;
    }

    function fill(figure, wanted, image, note) {
      const source = image.b64_json ? `data:image/png;base64,${image.b64_json}` : image.url;
      const own = source && (source.startsWith("/") || source.startsWith("data:image/"));
      if (own) {
        const link = element("a");
        link.href = source;
        link.download = "";
        const picture = element("img");
        picture.src = source;
        picture.alt = wanted.prompt;
        picture.width = picture.height = 320;
        link.append(picture);
        figure.querySelector(".picture-gone").replaceWith(link);
      }
      figure.querySelector(".picture-note").textContent = note;
      figure.classList.remove("is-coming");
    }

    async function make(wanted) {
      const empty = document.querySelector("[data-studio=no-pictures]");
      if (empty) empty.remove();
      const figures = Array.from({ length: wanted.n }, () => waiting(wanted.prompt));
      send.disabled = true;
      let fault = "";
      try {
        const answer = await post(words.images, wanted);
        if (answer.ok) {
          const { data, credits, kept, unkept } = await answer.json();
          const among = data.length > 1 ? ` (×${data.length})` : "";
          const charged = `${words.charged} ${credits}${among}`;
          const note = [wanted.model, wanted.size, charged].filter(Boolean).join(" · ");
          spend(credits);
          figures.forEach((figure, place) => {
            if (data[place]) fill(figure, wanted, data[place], note);
            else figure.remove();
            if (kept && kept[place]) window.waule.memory.picture(figure, kept[place], words);
          });
          if (unkept) window.waule.toast(unkept, false);
        } else {
          fault = await faultOf(answer);
        }
      } catch {
        fault = words.failed;
      }
      if (fault) {
        figures.forEach((figure) => figure.remove());
        window.waule.toast(fault, false);
      }
      send.disabled = false;
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const wanted = body();
      if (wanted && !send.disabled) make(wanted);
    }, true);
    estimates(form, body);
  }

  const studio = document.querySelector("[data-chat]");
  if (studio) chat(studio);
  const maker = document.querySelector("form[data-images]");
  if (maker) images(maker);
})();
