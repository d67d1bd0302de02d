/* The one place where text from our server becomes elements. docs/decisions/0005.
   A form with data-swap is sent in the background; what comes back replaces what has the same id (or, for a turn, the
   same position). Without this file the same form is an ordinary one. */
import { toast } from "mindstage/say";

/* Trusted Types: the policy never leaves this module, and `elements` gives it only what our own origin answered. */
const policy = window.trustedTypes?.createPolicy("mindstage", { createHTML: (html) => html }) ?? { createHTML: (html) => html };

const AWAY = "Mindstage can’t be reached just now. Nothing was changed; try again in a moment.";
const SENTENCES = {
  403: "This page is too old to act on. Reload it and try again; nothing was changed.",
  404: "That isn’t there any more. Reload the page to see how the story stands.",
  413: "That is too large. Nothing was changed.",
};

/** A request that was refused: `message` is a sentence for people. */
export class Refusal extends Error {}

/** Ask our own server. Throws Refusal with a sentence when it can't be reached or says no. */
export async function ask(url, { method = "GET", body = undefined, headers = {} } = {}) {
  const target = new URL(url, location.href);
  if (target.origin !== location.origin) throw new Refusal(AWAY);
  let response;
  try {
    response = await fetch(target, { method, body, headers: { "X-Partial": "1", ...headers } });
  } catch {
    throw new Refusal(AWAY);
  }
  if (!response.ok) throw new Refusal(await sentence(response));
  return response;
}

/** The sentence of a refusal. */
export async function sentence(response) {
  try {
    const said = isJson(response) ? (await response.json()).say : saidOnPage(await elements(response));
    if (said) return said;
  } catch { /* not ours: the sentence below serves */ }
  return SENTENCES[response.status] ?? "Something went wrong on our side. Nothing was changed; try again in a moment.";
}

const isJson = (response) => response.headers.get("Content-Type")?.startsWith("application/json");

/* A whole page came back: its alert, or the sentence of the problem page. */
function saidOnPage(page) {
  const scope = document.createElement("div");
  scope.append(...page);
  return scope.querySelector("[role=alert] .note, .note[role=alert], .empty .lede")?.textContent.trim();
}

/** The elements in an answer of our own server. */
export async function elements(response) {
  const ours = new URL(response.url).origin === location.origin;
  if (!ours || !response.headers.get("Content-Type")?.startsWith("text/html")) throw new Refusal(AWAY);
  const html = policy.createHTML(await response.text());
  const page = new DOMParser().parseFromString(html, "text/html");
  return [...page.body.children].map((element) => document.adoptNode(element));
}

/** Put each element where it belongs; one marked data-gone takes its namesake away. */
export function place(arrived) {
  for (const element of arrived) {
    const old = namesake(element);
    if ("gone" in element.dataset) old?.remove();
    else if (old) replace(old, element);
    else if (element.matches(".turn")) insertByPosition(element);
  }
}

function namesake(element) {
  const same = element.id && document.getElementById(element.id);
  if (same || !element.matches(".turn")) return same || null;
  return document.querySelector(`#turns > .turn[data-position="${CSS.escape(element.dataset.position)}"]`);
}

function replace(old, element) {
  const focused = old.contains(document.activeElement) && document.activeElement;
  old.replaceWith(element);
  if (focused) (sameTool(focused, element) ?? element).focus?.({ preventScroll: true });
}

/* Whoever pressed a tool finds it under the same key again. Where it can't be pressed any more, the element has the focus. */
function sameTool(focused, element) {
  const name = ["title", "aria-labelledby"].find((one) => focused.hasAttribute(one));
  return name && element.querySelector(`[${name}="${CSS.escape(focused.getAttribute(name))}"]:not([disabled])`);
}

function insertByPosition(element) {
  const log = document.getElementById("turns");
  if (!log) return;
  const later = [...log.querySelectorAll(":scope > .turn")].find((turn) => Number(turn.dataset.position) > Number(element.dataset.position));
  log.insertBefore(element, later ?? null);
}

/** Fetch a partial and place it. */
export async function refresh(url) {
  place(await elements(await ask(url)));
}

/** Send a form in the background and place the answer; a redirect is followed by the whole page. */
export async function send(form, submitter) {
  const url = submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? location.href;
  const response = await ask(url, { method: form.method.toUpperCase(), body: new FormData(form, submitter) });
  if (response.redirected) return location.assign(response.url);
  if (response.status !== 204) place(await elements(response));
  const detail = { form, submitter, url };
  document.dispatchEvent(new CustomEvent("stage:swapped", { detail }));
}

/* Something that goes on (an installation) says where to ask how far it is. */
function poll() {
  for (const element of document.querySelectorAll("[data-poll]:not([data-asked])")) {
    element.dataset.asked = "";
    setTimeout(() => refresh(element.dataset.poll).catch(() => { delete element.dataset.asked; }), 1000);
  }
}
if (document.querySelector("[data-poll]") || document.querySelector(".narrators")) setInterval(poll, 500);

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("swap" in form.dataset) || event.defaultPrevented) return;
  event.preventDefault();
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  send(form, event.submitter).catch((refusal) => toast(refusal.message)).finally(() => { form.ariaBusy = null; });
});
