// What the studio keeps, beside what is said: where a message goes in the conversation that is kept, its address
// in the browser, and pictures that were kept. It says and draws nothing else.
(() => {
  "use strict";

  function random(bytes) {
    const digits = crypto.getRandomValues(new Uint8Array(bytes));
    return [...digits].map((digit) => digit.toString(16).padStart(2, "0")).join("");
  }

  // The conversation of a form; `null` where nothing is kept.
  function conversation(form) {
    const field = (name) => form.elements.namedItem(name);
    const frame = field("window");
    if (!frame || !("keeps" in frame.dataset)) return null;
    let number = 0;
    // Named here, so that several models can be asked at once in a new conversation.
    let id = field("conversation").value || `chat_${random(16)}`;
    return {
      // Where the next message goes; `instead` is the place of one that it stands for, `again` of one that is asked
      // once more. Each call of the message adds its own `answer`, from 0.
      turn(other = {}) {
        number += 1;
        return { conversation: id, seen: Number(field("seen").value), nonce: `${frame.value}.${number}`, ...other };
      },
      // What an event `kept` told.
      took(told) {
        id = told.conversation;
        field("conversation").value = id;
        field("seen").value = String(Math.max(Number(field("seen").value), told.turn + 1));
        const address = `${location.pathname}?chat=${encodeURIComponent(id)}`;
        if (location.pathname + location.search !== address) history.replaceState(history.state, "", address);
      },
    };
  }

  function action(href, words) {
    const link = document.createElement("a");
    link.className = "button small";
    link.href = href;
    link.textContent = words;
    return link;
  }

  // A picture that was just made and is kept: its file, and what one can do with it.
  function picture(figure, id, words) {
    const path = `/portal/studio/images/${encodeURIComponent(id)}/file`;
    const link = figure.querySelector("a[download]");
    if (link) {
      link.href = path;
      link.removeAttribute("download");
    }
    const row = document.createElement("div");
    row.className = "row-actions";
    const save = action(`${path}?download=1`, words.download);
    save.setAttribute("download", "");
    row.append(action(`/portal/studio/images?again=${encodeURIComponent(id)}`, words.again), save);
    figure.querySelector("figcaption").append(row);
  }

  window.waule.memory = { conversation, picture };
})();
