/* Checks a receipt of deletion as ledger/receipts.py does, in this page alone: nothing is asked of anybody. */
"use strict";

const FORMAT = "mindstage-receipt-1";
const COMMAND = "mindstage receipt verify FILE --key KEYFILE";
const SAY = {
  nothing: "This file is nothing that Mindstage signs, or a part of it is missing.",
  key: "The key is not one: take it from /.well-known/mindstage-signing-key of the instance that signed.",
  changed: "The signature does not fit: the file was changed, or another instance signed it.",
  format: "This is no receipt of deletion in a form that this page knows; a newer one may read it.",
  line: "The line of the ledger does not lead to the head that the receipt names.",
  number: `A number in this file is none that this page can read. Nothing was checked. The command can: ${COMMAND}`,
  browser: `This browser cannot check signatures of this kind (Ed25519). Nothing was checked. Another browser may, and so does: ${COMMAND}`,
};

class Refused extends Error {}

/* One spelling for one value, as kit/canonical.py writes it: sorted keys, no spaces, UTF-8. */
function toCanonical(value) {
  if (Array.isArray(value)) return `[${value.map(toCanonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const keys = Object.keys(value).sort(byCodePoint);
    return `{${keys.map((key) => `${JSON.stringify(key)}:${toCanonical(value[key])}`).join(",")}}`;
  }
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new Refused(SAY.number);
  return JSON.stringify(value);
}

function byCodePoint(one, other) {
  const a = Array.from(one, (letter) => letter.codePointAt(0));
  const b = Array.from(other, (letter) => letter.codePointAt(0));
  const at = a.findIndex((point, place) => point !== b[place]);
  return at < 0 ? a.length - b.length : at < b.length ? a[at] - b[at] : 1;
}

const toBytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const toHex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

function readKey(text) {
  try {
    const found = text.trimStart().startsWith("{") ? String(JSON.parse(text).key) : text;
    const key = toBytes(found.replace(/\s/g, ""));
    if (key.length === 32) return key;
  } catch { /* said below */ }
  throw new Refused(SAY.key);
}

function readSigned(text) {
  try {
    const { signature, ...said } = JSON.parse(text);
    const value = toBytes(signature.value);
    if (String(said.format).startsWith("mindstage-")) return { said, value };
  } catch { /* said below */ }
  throw new Refused(SAY.nothing);
}

async function isSigned(content, signature, key) {
  if (!globalThis.crypto?.subtle) throw new Refused(SAY.browser);
  try {
    const found = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "Ed25519" }, found, signature, content);
  } catch (error) {
    if (error.name === "NotSupportedError") throw new Refused(SAY.browser);
    return false; // no point of the curve: nothing is signed by such a key
  }
}

async function checkReceipt(text, keyText) {
  const { said, value } = readSigned(text);
  const content = new TextEncoder().encode(toCanonical(said));
  if (!(await isSigned(content, value, readKey(keyText)))) throw new Refused(SAY.changed);
  if (said.format !== FORMAT) throw new Refused(SAY.format);
  const line = new TextEncoder().encode(String(said.ledger?.line));
  if (toHex(await crypto.subtle.digest("SHA-256", line)) !== said.ledger?.head) throw new Refused(SAY.line);
  return said;
}

function tell(said) {
  const lines = [
    ["Requested", said.requested_on],
    ["Completed", said.completed_on],
    ["By", said.instance],
    ...said.stores.map((one) => [one.store, `${one.found} found, ${one.left} left`]),
    ...(said.verification ? [["Sealed texts", `${said.verification.texts_tried} tried, ${said.verification.texts_opened} opened`]] : []),
    ...said.kept.map((one) => ["Kept", `${one.what}, ${one.ground} (ends ${one.ends_on})`]),
    ...said.went_out.map((one) => ["Went out to", `${one.who} (${one.where}), until ${one.last_on}; keeps: ${one.keeps}; gone there: ${one.ends_on}`]),
    ...said.backups.map((one) => ["Backup", `${one.backup}: its key is destroyed on ${one.key_destroyed_on}`]),
    ["", said.says],
  ];
  const list = document.getElementById("said");
  list.replaceChildren(...lines.flatMap(([title, words]) => [make("dt", title), make("dd", String(words ?? ""))]));
}

function make(name, words) {
  const element = document.createElement(name);
  element.textContent = words;
  return element;
}

function answer(sentence, fine) {
  const place = document.getElementById("answer");
  place.textContent = sentence;
  place.className = fine ? "fine" : "refused";
}

document.getElementById("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  document.getElementById("said").replaceChildren();
  answer("", true);
  try {
    const text = await document.getElementById("file").files[0].text();
    const said = await checkReceipt(text, document.getElementById("key").value);
    tell(said);
    answer("This receipt is whole, and was signed by the holder of the key above.", true);
  } catch (error) {
    answer(error instanceof Refused ? error.message : SAY.nothing, false);
  }
});
