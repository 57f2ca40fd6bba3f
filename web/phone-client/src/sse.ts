// Server-Sent Events (WHATWG HTML §9.2), as much of them as the live stream uses. Pieces may be cut anywhere.

export interface SseMessage {
  id: string | undefined;
  event: string;
  data: string;
}

const MOST_WAITING = 1 << 20;

export class SseParser {
  private waiting = "";

  /** The messages that this piece completes. Throws if one is larger than anything the server sends. */
  push(piece: string): SseMessage[] {
    this.waiting += piece;
    const found: SseMessage[] = [];
    for (;;) {
      const end = /\r?\n\r?\n/.exec(this.waiting);
      if (end === null) break;
      const message = parse(this.waiting.slice(0, end.index));
      this.waiting = this.waiting.slice(end.index + end[0].length);
      if (message !== null) found.push(message);
    }
    if (this.waiting.length > MOST_WAITING) throw new Error("A message of the live stream is too large.");
    return found;
  }
}

function parse(block: string): SseMessage | null {
  let id: string | undefined;
  let event = "message";
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon === 0) continue; // a comment: a sign of life
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "id") id = value;
    if (name === "event") event = value;
    if (name === "data") data.push(value);
  }
  return data.length === 0 ? null : { id, event, data: data.join("\n") };
}
