// What both halves of the studio need: asking the server, what a call will cost and did cost, what is
// left; and images without leaving the page. Conversations are `studio-chat.js`'s. Without a script the
// same forms are posted as pages.
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

  function decimal(amount) {
    const whole = String(amount / 1000000n).replace(/\B(?=(\d{3})+$)/g, ",");
    const decimals = String(amount % 1000000n).padStart(6, "0").replace(/0+$/, "");
    return decimals ? `${whole}.${decimals}` : whole;
  }

  // What is left, of the tenant's credits and of the person's own budget, goes down by what was charged,
  // until the next page tells it anew.
  function spend(charged) {
    const amount = micros(charged);
    if (amount === null) return;
    for (const place of document.querySelectorAll("[data-studio=balance], [data-studio=budget]")) {
      const left = micros(place.textContent);
      if (left !== null) place.textContent = decimal(left > amount ? left - amount : 0n);
    }
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

  // What sending would cost, asked when typing pauses: the sum over all calls that it would make.
  function estimates(form, bodies) {
    const place = form.querySelector("[data-studio=estimate]");
    const path = form.dataset.estimate;
    if (!place || !path) return;
    let timer = 0;
    let asked = 0;
    const told = async (body) => {
      const answer = await post(path, body).catch(() => null);
      return answer && answer.ok ? answer.json().catch(() => null) : null;
    };
    const ask = async () => {
      const wanted = bodies();
      const mine = ++asked;
      if (!wanted.length) return void (place.textContent = "");
      const found = (await Promise.all(wanted.map(told))).filter(Boolean);
      if (mine !== asked) return;
      if (!found.length) return void (place.textContent = "");
      const sum = (name) => decimal(found.reduce((all, one) => all + (micros(one[name]) || 0n), 0n));
      const [about, most] = [sum("credits_about"), sum("credits_max")];
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
    estimates(form, () => [body()].filter(Boolean));
  }

  window.waule.studio = { costOf, element, estimates, faultOf, post, readEvents, spend };

  const maker = document.querySelector("form[data-images]");
  if (maker) images(maker);
})();
