/* What every page needs: theme, menus, tabs, dialogs, links that don't lead away by accident. */
import "mindstage/local_time";
import "mindstage/swap";
import { say } from "mindstage/say";

/* ---- theme: the system decides until the person does ---- */
const root = document.documentElement;
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);

function paintTheme(button) {
  button.setAttribute("aria-pressed", String(isDark()));
  button.title = isDark() ? "Switch to paper (light)" : "Switch to theatre (dark)";
  button.value = isDark() ? "light" : "dark";
}

document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("[data-theme-toggle]");
  if (!button) return;
  event.preventDefault();
  const body = new FormData(event.target, event.submitter);
  root.dataset.theme = button.value;
  document.querySelectorAll("[data-theme-toggle]").forEach(paintTheme);
  say(isDark() ? "The theatre is dark." : "The page is light.");
  fetch(event.target.action, { method: "POST", body, redirect: "manual" }).catch(() => { /* only the memory of it is lost */ });
});
document.querySelectorAll("[data-theme-toggle]").forEach(paintTheme);

/* ---- tabs: arrows, Home, End ---- */
function pick(tab) {
  for (const other of tab.parentElement.querySelectorAll("[role=tab]")) {
    const on = other === tab;
    other.setAttribute("aria-selected", String(on));
    other.tabIndex = on ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls"))?.toggleAttribute("hidden", !on);
  }
}

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  if (!tab) return;
  const tabs = [...tab.parentElement.querySelectorAll("[role=tab]")];
  const at = tabs.indexOf(tab);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  const chosen = tabs[(next + tabs.length) % tabs.length];
  pick(chosen);
  chosen.focus();
});

/* ---- clicks: tabs, dialogs, drawers, links ---- */
document.addEventListener("click", (event) => {
  const target = event.target;
  leaveMenus(target); // first: a dialog that opens gives the focus back to where it is now
  const tab = target.closest("[role=tab]");
  if (tab) pick(tab);
  const opener = target.closest("[data-open]");
  if (opener) open(document.getElementById(opener.dataset.open), opener);
  const closer = target.closest("[data-close]");
  if (closer) close(closer.closest("dialog, .is-open"));
  const link = target.closest(".inert-link[data-href]");
  if (link) showAddress(link.dataset.href);
});

/** A menu closes when something is pressed beside it, and when something in it was chosen. */
function leaveMenus(target) {
  const chosen = target.closest(".menu-list :is(a, button)");
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu.contains(target) && !chosen) continue;
    if (chosen && menu.contains(chosen)) menu.querySelector("summary").focus();
    menu.open = false;
  }
}

let openedBy = null;

function open(thing, opener) {
  if (!thing) return;
  openedBy = opener;
  if (thing.showModal) return thing.showModal();
  thing.classList.add("is-open");
  thing.querySelector("[data-close]")?.focus();
}

function close(thing) {
  if (!thing) return;
  if (thing.close) thing.close();
  thing.classList.remove("is-open");
  openedBy?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); event.stopImmediatePropagation(); return; }
  const drawer = document.querySelector(".is-open");
  if (drawer) { close(drawer); event.stopImmediatePropagation(); }
});

/* ---- the way through a long page marks the section that is read ---- */
const ways = [...document.querySelectorAll(".toc a")];

function markWay() {
  const atEnd = scrollY + innerHeight >= root.scrollHeight - 2;
  const read = atEnd ? ways.at(-1) : ways.findLast((way) => document.querySelector(way.hash).getBoundingClientRect().top < innerHeight / 3) ?? ways[0];
  if (read.ariaCurrent) return;
  for (const way of ways) way.ariaCurrent = way === read ? "true" : null;
  read.parentElement.scrollTo({ left: read.offsetLeft - 24, behavior: "instant" }); // on phones it scrolls sideways
}
if (ways.length) {
  addEventListener("scroll", markWay, { passive: true });
  markWay();
}

/* A story's links lead out of the house: the address is shown first, and a second click goes. */
function showAddress(address) {
  const dialog = document.getElementById("leaving");
  if (!dialog || !/^https?:\/\//i.test(address)) return;
  dialog.querySelector("code").textContent = address;
  dialog.querySelector("a").href = address;
  dialog.showModal();
}
document.querySelector("#leaving a")?.addEventListener("click", () => document.getElementById("leaving").close());
