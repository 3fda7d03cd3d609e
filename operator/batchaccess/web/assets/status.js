// Keeps the page fresh: asks for the same address again and puts the new content in place. The page is complete without it.
"use strict";

const EVERY_MS = 5000;
const QUIET_MS = 20000;
const pause = document.getElementById("pause");
const unreachable = document.getElementById("unreachable");
let paused = sessionStorage.getItem("paused") === "yes";
let asking = false;
let touched = 0;

function showPaused() {
  pause.hidden = false;
  pause.setAttribute("aria-pressed", String(paused));
}

function focusedForm() {
  const focused = document.activeElement;
  return focused && focused.closest("main form");
}

// Somebody who just typed or chose something, or has marked text, is not to be disturbed.
function isBusy() {
  return (focusedForm() && Date.now() - touched < QUIET_MS) || !document.getSelection().isCollapsed;
}

function addressOf(element) {
  return element && element.closest("main") && element.getAttribute("href");
}

function putInPlace(fresh) {
  const focused = addressOf(document.activeElement);
  const form = focusedForm();
  const field = form && document.activeElement;
  if (form && fresh.querySelector("main form")) fresh.querySelector("main form").replaceWith(form);
  for (const before of document.querySelectorAll("main details[id]")) {
    const after = fresh.getElementById(before.id);
    // What somebody folded or unfolded stays so, until the page itself would have it otherwise.
    if (after && after.dataset.default === before.dataset.default) after.open = before.open;
  }
  document.querySelector("main").replaceWith(fresh.querySelector("main"));
  document.getElementById("as-of").replaceWith(fresh.getElementById("as-of"));
  document.title = fresh.title;
  if (field) field.focus({ preventScroll: true });
  if (focused) {
    const again = [...document.querySelectorAll("main a")].find((each) => each.getAttribute("href") === focused);
    if (again) again.focus({ preventScroll: true });
  }
}

async function refresh() {
  if (paused || asking || document.hidden || isBusy()) return;
  asking = true;
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(EVERY_MS * 2) });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!fresh.querySelector("main")) throw new Error("not a status page");
    if (!isBusy()) putInPlace(fresh);
    unreachable.textContent = "";
  } catch {
    unreachable.textContent = "The operator does not answer. Below is what it said last.";
  } finally {
    asking = false;
  }
}

pause.addEventListener("click", () => {
  paused = !paused;
  sessionStorage.setItem("paused", paused ? "yes" : "no");
  showPaused();
  refresh();
});
for (const kind of ["keydown", "input", "pointerdown"]) document.addEventListener(kind, () => (touched = Date.now()));
document.addEventListener("visibilitychange", refresh);
showPaused();
setInterval(refresh, EVERY_MS);
