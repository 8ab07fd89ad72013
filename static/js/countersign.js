/* The little that HTML cannot do by itself. Every page works without this file.
   Everything is delegated from the document, so parts that htmx swaps in need no wiring. */
(() => {
  "use strict";

  const closest = (event, selector) =>
    event.target instanceof Element ? event.target.closest(selector) : null;

  /* Dialogs: <a href="#confirm" data-opens>, and inside <a href="#" data-closes> */

  const openDialog = (link) => {
    const dialog = document.getElementById(link.hash.slice(1));
    if (!(dialog instanceof HTMLDialogElement)) return false;
    if (!dialog.open) dialog.showModal();
    return true;
  };

  document.addEventListener("click", (event) => {
    const opener = closest(event, "a[data-opens]");
    if (opener && openDialog(opener)) event.preventDefault();

    const closer = closest(event, "[data-closes]");
    if (closer) {
      closer.closest("dialog")?.close();
      event.preventDefault();
    }
  });

  /* One that opened with the page has nothing to give the focus back to: its opener is the place. */

  document.addEventListener("close", (event) => {
    const dialog = event.target;
    if (!(dialog instanceof HTMLDialogElement) || document.activeElement !== document.body) return;
    document.querySelector(`a[data-opens][href="#${CSS.escape(dialog.id)}"]`)?.focus();
  }, true);

  document.addEventListener("keydown", (event) => {
    const opener = closest(event, "a[data-opens]");
    if (opener && event.key === " ") {
      event.preventDefault();
      openDialog(opener);
    }
  });

  /* Copy: <button data-copy="text"> */

  document.addEventListener("click", async (event) => {
    const button = closest(event, "[data-copy]");
    if (!button) return;
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy";
    }
    setTimeout(() => { button.textContent = before; }, 2000);
  });

  /* Print: <button data-print> */

  document.addEventListener("click", (event) => {
    if (closest(event, "[data-print]")) window.print();
  });

  /* Messages: the small cross */

  document.addEventListener("click", (event) => {
    closest(event, ".toast-close")?.closest(".toast")?.remove();
  });

  /* Countdown: <time datetime="..." data-countdown> counts down to its time. A page that is told to
     (data-then="reload") reloads once when it is over. */

  const tick = () => {
    for (const time of document.querySelectorAll("time[data-countdown]")) {
      const left = Math.ceil((Date.parse(time.dateTime) - Date.now()) / 1000);
      if (left > 0) {
        const seconds = String(left % 60).padStart(2, "0");
        time.textContent = `${Math.floor(left / 60)}:${seconds}`;
      } else if (!time.dataset.over) {
        time.dataset.over = "yes";
        time.textContent = "0:00";
        time.closest(".countdown")?.classList.add("countdown-over");
        time.dispatchEvent(new CustomEvent("countdown:over", { bubbles: true }));
      }
    }
  };

  setInterval(tick, 1000);

  /* Drop zone: <label class="dropzone"> around a file input */

  const said = (bytes) =>
    bytes < 1024 ? `${bytes} bytes`
      : bytes < 1048576 ? `${(bytes / 1024).toFixed(0)} KB`
        : `${(bytes / 1048576).toFixed(1)} MB`;

  const nameFile = (zone) => {
    const input = zone.querySelector("input[type=file]");
    const name = zone.querySelector(".dropzone-name");
    const file = input?.files[0];
    if (!file || !name) return;
    name.textContent = `${file.name} (${said(file.size)})`;
    const told = document.querySelector(`input[data-name-of="${CSS.escape(input.id)}"]`);
    if (told) told.value = file.name;
    zone.classList.add("dropzone-filled");
  };

  document.addEventListener("dragover", (event) => {
    const zone = closest(event, ".dropzone");
    if (!zone) return;
    event.preventDefault();
    zone.classList.add("dropzone-over");
  });

  document.addEventListener("dragleave", (event) => {
    closest(event, ".dropzone")?.classList.remove("dropzone-over");
  });

  document.addEventListener("drop", (event) => {
    const zone = closest(event, ".dropzone");
    if (!zone || !event.dataTransfer?.files.length) return;
    event.preventDefault();
    zone.classList.remove("dropzone-over");
    zone.querySelector("input[type=file]").files = event.dataTransfer.files;
    zone.querySelector("input[type=file]").dispatchEvent(new Event("change", { bubbles: true }));
  });

  document.addEventListener("change", (event) => {
    const zone = closest(event, ".dropzone");
    if (zone) nameFile(zone);
  });

  /* What a script makes possible is announced only when there is one. */

  const ready = (root) => {
    for (const link of root.querySelectorAll("a[data-opens]")) {
      link.setAttribute("role", "button");
      link.setAttribute("aria-haspopup", "dialog");
    }
    for (const zone of root.querySelectorAll(".dropzone")) zone.classList.add("dropzone-ready");
    for (const button of root.querySelectorAll("[data-copy][hidden], [data-print][hidden], .toast-close[hidden]")) button.hidden = false;
    for (const dialog of root.querySelectorAll("dialog[data-open-at-once]")) if (!dialog.open) dialog.showModal();
    tick();
  };

  document.addEventListener("DOMContentLoaded", () => ready(document));
  document.addEventListener("htmx:load", (event) => ready(event.detail.elt.parentElement ?? document));
})();
