// Pictures that go with a message: picked, pasted or dropped, made as small as models look at them, and
// shown before they are sent. Asks no server for anything.
(() => {
  "use strict";
  const PICTURES_MAX = 4;
  // Models scale pictures down to about this many pixels on the longer side.
  const SIDE_MAX = 1280;
  // Bytes of one as it is sent; four of them and a long conversation stay within a request.
  const BYTES_MAX = 400_000;
  // A file that no browser should be asked to open.
  const FILE_MAX = 40_000_000;
  const KINDS = ["image/png", "image/jpeg", "image/webp", "image/gif"];
  const { element } = window.waule.studio;

  function read(file) {
    return new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.addEventListener("load", () => resolve(reader.result));
      reader.addEventListener("error", () => reject(reader.error));
      reader.readAsDataURL(file);
    });
  }

  // The picture as a text that holds it; rejects what is none.
  async function shrunk(file) {
    const bitmap = await createImageBitmap(file);
    const longer = Math.max(bitmap.width, bitmap.height);
    if (longer <= SIDE_MAX && file.size * 4 / 3 <= BYTES_MAX && KINDS.includes(file.type)) return read(file);
    const canvas = element("canvas");
    for (const side of [SIDE_MAX, 960, 640]) {
      const scale = Math.min(1, side / longer);
      canvas.width = Math.max(1, Math.round(bitmap.width * scale));
      canvas.height = Math.max(1, Math.round(bitmap.height * scale));
      const context = canvas.getContext("2d");
      // What is not there is paper, since JPEG knows no glass.
      context.fillStyle = "white";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      for (const quality of [0.85, 0.7, 0.5]) {
        const text = canvas.toDataURL("image/jpeg", quality);
        if (text.length <= BYTES_MAX) return text;
      }
    }
    throw new Error("too large");
  }

  // The strip of a form; `sees` says whether pictures are of use now.
  function pictures(form, words, sees) {
    const strip = form.querySelector("[data-studio=attached]");
    const button = form.querySelector("[data-studio=attach]");
    const picker = form.querySelector("[data-studio=picker]");
    let held = [];

    const changed = () => form.dispatchEvent(new Event("change", { bubbles: true }));

    function show() {
      strip.replaceChildren();
      strip.hidden = !held.length;
      held.forEach((one) => {
        const item = element("li", "attached-item");
        const picture = element("img");
        picture.src = one.address;
        picture.alt = one.name;
        const remove = element("button", "attached-remove", "×");
        remove.type = "button";
        remove.setAttribute("aria-label", `${words.removePicture} ${one.name}`);
        remove.addEventListener("click", () => {
          held = held.filter((other) => other !== one);
          show();
          changed();
          button.focus();
        });
        item.append(picture, remove);
        strip.append(item);
      });
    }

    async function add(files) {
      for (const file of files) {
        if (held.length >= PICTURES_MAX) {
          window.waule.toast(words.pictureCount, false);
          break;
        }
        if (!file.type.startsWith("image/") || file.size > FILE_MAX) {
          window.waule.toast(words.pictureKind, false);
          continue;
        }
        const address = await shrunk(file).catch(() => "");
        if (!address) window.waule.toast(words.pictureKind, false);
        else if (held.length < PICTURES_MAX) held.push({ address, name: file.name || "image" });
      }
      show();
      changed();
    }

    button.addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => {
      add([...picker.files]);
      picker.value = "";
    });
    form.addEventListener("paste", (event) => {
      const files = event.clipboardData ? [...event.clipboardData.files] : [];
      if (!files.length || !sees()) return;
      event.preventDefault();
      add(files);
    });
    form.addEventListener("dragover", (event) => {
      if (!sees() || !event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      form.classList.add("is-over");
    });
    form.addEventListener("dragleave", () => form.classList.remove("is-over"));
    form.addEventListener("drop", (event) => {
      form.classList.remove("is-over");
      if (!event.dataTransfer.files.length) return;
      // A picture that is dropped never takes the place of the page.
      event.preventDefault();
      if (sees()) add([...event.dataTransfer.files]);
      else window.waule.toast(words.noVision, false);
    });
    return {
      all: () => held.map((one) => one.address),
      clear() {
        held = [];
        show();
      },
      fill(addresses) {
        held = addresses.map((address) => ({ address, name: "image" }));
        show();
      },
      offer() {
        button.hidden = !sees();
      },
    };
  }

  window.waule.studio.pictures = pictures;
})();
