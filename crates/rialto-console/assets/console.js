// What pages need beyond HTML and htmx: local times, the state of the live stream, and "/" to search.
// Every page works for reading without this file.
"use strict";

const units = [[86400000, "d"], [3600000, "h"], [60000, "min"], [1000, "s"]];

function apart(ms) {
  const [size, name] = units.find(([size]) => Math.abs(ms) >= size) ?? [0, ""];
  if (!size) return "now";
  const text = `${Math.floor(Math.abs(ms) / size)} ${name}`;
  return ms < 0 ? `in ${text}` : `${text} ago`;
}

function tellTimes() {
  for (const element of document.querySelectorAll("time[datetime]")) {
    const at = new Date(element.dateTime);
    const ago = element.querySelector(".ago");
    const text = apart(Date.now() - at);
    if (ago && ago.textContent !== text) ago.textContent = text;
    const title = `${element.dateTime} (UTC)\n${at.toLocaleString()} (your time)`;
    if (element.title !== title) element.title = title;
  }
}

function tellZone() {
  const zone = document.querySelector(".zone");
  if (zone) zone.textContent = `; yours is ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
}

function tellState(state, word) {
  const live = document.getElementById("live");
  if (!live || live.dataset.state === state) return;
  live.dataset.state = state;
  live.querySelector(".word").textContent = word;
}

document.addEventListener("htmx:sse:after:connection", () => tellState("on", "live"));
document.addEventListener("htmx:sse:before:connection", () => {
  const live = document.getElementById("live");
  if (live?.dataset.state === "on") tellState("lost", "reconnecting");
});
document.addEventListener("htmx:sse:error", () => tellState("lost", "reconnecting"));
document.addEventListener("htmx:sse:close", () => tellState("off", "not live"));
document.addEventListener("htmx:after:swap", tellTimes);

// The session has ended: the address leads to the sign-in page.
document.addEventListener("ended", () => location.reload());

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const find = document.getElementById("find");
  if (!find) return;
  event.preventDefault();
  find.focus();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const from = document.getElementById(button.dataset.copy);
  await navigator.clipboard?.writeText(from.textContent);
  button.textContent = "Copied";
});

tellTimes();
tellZone();
setInterval(tellTimes, 1000);
