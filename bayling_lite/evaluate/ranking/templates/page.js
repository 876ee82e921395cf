// Ranking one item. Every change is sent at once, one request after the other; what was not taken is sent again.
"use strict";

(() => {
  const root = document.getElementById("item");
  const texts = root.dataset;
  const status = document.getElementById("status");
  const dialog = document.getElementById("skipping");
  const aspects = [...root.querySelectorAll(".aspects > div")];
  const all = [...root.querySelectorAll(".rank")];
  // Aspect by aspect, and in each of them card by card: so people compare, and so the keys go.
  const cells = aspects.flatMap((each) => all.filter((cell) => cell.dataset.aspect === each.dataset.aspect));
  const nCards = cells.length / aspects.length;
  const given = cells.map((cell) => (cell.dataset.given ? Number(cell.dataset.given) : null));
  const page = Array.from(crypto.getRandomValues(new Uint32Array(3)), (n) => n.toString(36)).join("");

  let current = Math.max(given.indexOf(null), 0);
  let skipped = texts.skipped;
  let after = Number(texts.after);
  let next = texts.next;
  let changes = 0;
  let kept = 0;
  let sending = null;
  let stuck = false;
  // On the way to the next item: what is typed now is meant for that one.
  let leaving = false;

  // Seconds that the page was seen.
  let seconds = Number(texts.seconds);
  let since = document.hidden ? null : performance.now();
  const spent = () => seconds + (since === null ? 0 : (performance.now() - since) / 1000);
  document.addEventListener("visibilitychange", () => {
    seconds = spent();
    since = document.hidden ? null : performance.now();
  });

  function say(text, isTrouble = false) {
    status.textContent = text;
    status.classList.toggle("trouble", isTrouble);
  }

  function order(aspect) {
    const letters = new Map();
    cells.forEach((cell, index) => {
      if (cell.dataset.aspect === aspect && given[index] !== null) {
        letters.set(given[index], [...(letters.get(given[index]) ?? []), cell.dataset.letter]);
      }
    });
    return [...letters.keys()].sort((a, b) => a - b).map((place) => letters.get(place).join(" = ")).join(" > ");
  }

  function show() {
    cells.forEach((cell, index) => {
      cell.classList.toggle("current", index === current);
      cell.classList.remove("wanting");
      for (const button of cell.querySelectorAll("button")) {
        const place = Number(button.dataset.place);
        button.setAttribute("aria-checked", String(place === given[index]));
        // One stop of the Tab key for each group; the arrows go on in it.
        button.tabIndex = place === (given[index] ?? 1) ? 0 : -1;
      }
    });
    for (const each of aspects) {
      each.classList.toggle("current", each.dataset.aspect === cells[current].dataset.aspect);
      each.querySelector(".order").textContent = order(each.dataset.aspect);
    }
    for (const card of root.querySelectorAll(".card")) {
      card.classList.toggle("current", card.contains(cells[current]));
    }
  }

  function moveTo(index) {
    current = Math.min(Math.max(index, 0), cells.length - 1);
    show();
    // Not one of its buttons, which the space bar, meant to scroll, would press.
    cells[current].focus();
  }

  function give(index, place) {
    given[index] = place;
    skipped = "";
    save();
  }

  function save() {
    changes += 1;
    say(texts.saving);
    return keep();
  }

  function keep() {
    sending ??= send().finally(() => { sending = null; });
    return sending;
  }

  async function send() {
    while (kept < changes && !stuck) {
      const sent = changes;
      const trouble = await attempt();
      if (trouble === null) {
        kept = sent;
        say(texts.saved);
      } else {
        say(trouble, true);
        if (!stuck) await new Promise((resolve) => { setTimeout(resolve, 2000); });
      }
    }
  }

  // Send everything there is of this item. Null if it was taken; else what is wrong.
  async function attempt() {
    const ranks = {};
    cells.forEach((cell, index) => { (ranks[cell.dataset.aspect] ??= []).push(given[index]); });
    const { mark, person } = texts;
    const ballot = { mark, person, item: Number(texts.number), ranks, skipped, seconds: spent(), after, page };
    let response;
    let answer;
    try {
      response = await fetch("/ballot", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(ballot),
        keepalive: true,
      });
      answer = await response.json();
    } catch {
      return texts.unsaved;
    }
    if (response.ok) {
      after = answer.number;
      next = answer.next;
      return null;
    }
    stuck = response.status < 500;
    return texts.refused.replace("{reason}", () => answer.error);
  }

  async function goOn() {
    const missing = given.filter((place) => place === null).length;
    if (missing && !skipped) {
      moveTo(given.indexOf(null));
      cells.forEach((cell, index) => cell.classList.toggle("wanting", given[index] === null));
      say(texts.missing.replace("{count}", missing), true);
      return;
    }
    leaving = true;
    await keep();
    if (kept === changes) location.assign(next);
    else leaving = false;
  }

  function takeBack() {
    // The place under the mark; where none was given yet, the one before it.
    const index = given[current] === null && current > 0 ? current - 1 : current;
    if (given[index] !== null) give(index, null);
    moveTo(index);
  }

  cells.forEach((cell, index) => {
    for (const button of cell.querySelectorAll("button")) {
      button.addEventListener("click", () => {
        if (leaving) return;
        const place = Number(button.dataset.place);
        give(index, given[index] === place ? null : place);
        const open = given.indexOf(null);
        current = given[index] === null || open === -1 ? index : open;
        show();
      });
    }
  });

  // From one button of a group to the one above or below it.
  function step(button, by) {
    const buttons = [...button.parentElement.children];
    buttons[buttons.indexOf(button) + by]?.focus();
  }

  // Where the Tab key or a finger has gone, keys go as well.
  cells.forEach((cell, index) => cell.addEventListener("focusin", () => {
    if (index === current) return;
    current = index;
    show();
  }));

  function digit(event) {
    if (/^[1-9]$/.test(event.key)) return Number(event.key);
    // Keyboards that have digits on the second level only, and input methods that have not let go of the key.
    return /^Digit[1-9]$/.test(event.code) && !event.shiftKey ? Number(event.code.slice(5)) : 0;
  }

  const isKey = (event, letter) => event.key.toLowerCase() === letter
    || (event.key === "Process" && event.code === `Key${letter.toUpperCase()}`);

  document.addEventListener("keydown", (event) => {
    if (leaving) return;
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open || event.target.closest("input, summary")) return;
    const place = digit(event);
    if (place) {
      if (place > nCards) return;
      give(current, place);
      moveTo(current + 1);
    } else if (event.key === "ArrowLeft") {
      moveTo(current - 1);
    } else if (event.key === "ArrowRight") {
      moveTo(current + 1);
    } else if (/^Arrow(Up|Down)$/.test(event.key) && event.target.matches(".places button")) {
      step(event.target, event.key === "ArrowUp" ? -1 : 1);
    } else if (event.key === "Backspace") {
      takeBack();
    } else if (event.key === "Enter") {
      if (event.repeat || event.target.closest("a, #skip")) return;
      goOn();
    } else if (isKey(event, "p")) {
      document.getElementById("previous")?.click();
    } else if (isKey(event, "s")) {
      dialog.showModal();
    } else {
      return;
    }
    event.preventDefault();
  });

  document.getElementById("next").addEventListener("click", goOn);
  document.getElementById("skip").addEventListener("click", () => dialog.showModal());
  const other = document.getElementById("other");
  other.addEventListener("input", () => { dialog.querySelector("input[value='']").checked = true; });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "skip") return;
    dialog.returnValue = "";
    skipped = dialog.querySelector("input[name=reason]:checked").value || other.value.trim() || "other";
    save();
    goOn();
  });

  window.addEventListener("beforeunload", (event) => {
    if (kept < changes && !stuck) event.preventDefault();
  });

  // Brought back by the browser as it was left: what is kept may be newer.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  if (nCards === 1 && given.includes(null) && !skipped) {
    given.fill(1);
    save();
  }
  show();
})();
