/* Server-sent events out of the body of any answer: EventSource can't POST. */

/** Yields {event, id, data} as they arrive; `data` is parsed JSON. Ends when the body ends. */
export async function* frames(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      rest += value.replaceAll("\r\n", "\n");
      for (let end; (end = rest.indexOf("\n\n")) >= 0; rest = rest.slice(end + 2)) {
        const frame = parse(rest.slice(0, end));
        if (frame) yield frame;
      }
    }
  } finally {
    reader.cancel().catch(() => { /* already gone */ });
  }
}

function parse(block) {
  const frame = { event: "message", id: null, data: "" };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === 0) continue; // a comment keeps the connection awake
    const [name, value] = colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
    if (name === "data") frame.data += frame.data ? `\n${value}` : value;
    else if (name === "event" || name === "id") frame[name] = value;
  }
  if (!frame.data) return null;
  return { ...frame, data: JSON.parse(frame.data) };
}
