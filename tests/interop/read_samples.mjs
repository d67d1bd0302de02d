/* Read cards and chats with SillyTavern's own code, from its npm package. Run by bin/interop. */
import fs from "node:fs";
import { read } from "sillytavern/src/character-card-parser.js";
import { setConfigFilePath } from "sillytavern/src/util.js";
import { TavernCardValidator } from "sillytavern/src/validator/TavernCardValidator.js";

setConfigFilePath("node_modules/sillytavern/default/config.yaml");
const { getChatData } = await import("sillytavern/src/endpoints/chats.js");

const files = fs.readdirSync(".");
const expected = { "card.png": 3, "card-v3.json": 3, "card-v2.json": 2 };
let cards = 0, chats = 0, messages = 0;

function check(holds, what) {
  if (!holds) throw new Error(what);
}

for (const [ending, version] of Object.entries(expected)) {
  for (const file of files.filter((name) => name.startsWith("characters_") && name.endsWith(ending))) {
    const text = ending.endsWith(".png") ? read(fs.readFileSync(file)) : fs.readFileSync(file, "utf8");
    check(new TavernCardValidator(JSON.parse(text)).validate() === version, `${file} is not taken as V${version}`);
    cards += 1;
  }
}
for (const file of files.filter((name) => name.endsWith(".jsonl"))) {
  const [head, ...lines] = getChatData(file);
  check(head.chat_metadata?.integrity && head.user_name === "unused", `${file} has no head`);
  for (const line of lines) {
    check(line.mes === line.swipes[line.swipe_id] && line.swipes.length === line.swipe_info.length, `${file} swipes`);
    check(!Number.isNaN(Date.parse(line.send_date)) && line.name, `${file} has a line without name or date`);
    messages += 1;
  }
  check(lines.length > 0, `${file} is empty`);
  chats += 1;
}
check(cards && chats, "there is nothing to read");
console.log(`SillyTavern takes ${cards} cards and reads ${chats} chats with ${messages} messages.`);
process.exit(0);
