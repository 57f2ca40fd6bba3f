// Times and numbers as people read them.

const two = (value: number) => String(value).padStart(2, "0");

/** 0:07, 12:30, 1:02:03 */
export function duration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** For a screen reader: "2 minutes 5 seconds". */
export function spoken(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const rest = seconds % 60;
  const parts = [];
  if (minutes > 0) parts.push(`${minutes} minute${minutes === 1 ? "" : "s"}`);
  if (rest > 0 || minutes === 0) parts.push(`${rest} second${rest === 1 ? "" : "s"}`);
  return parts.join(" ");
}

/** Today the time of day, this week the weekday, before that the date. */
export function when(iso: string, now = new Date()): string {
  const moment = new Date(iso);
  if (Number.isNaN(moment.getTime())) return "";
  const time = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const days = Math.round((midnight(now) - midnight(moment)) / 86_400_000);
  if (days === 0) return time;
  if (days === 1) return `Yesterday ${time}`;
  if (days > 1 && days < 7) return `${moment.toLocaleDateString([], { weekday: "short" })} ${time}`;
  return moment.toLocaleDateString([], { year: "numeric", month: "short", day: "numeric" });
}

function midnight(moment: Date): number {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();
}

/** Up to two letters that stand for a person. */
export function initials(name: string, number: string): string {
  const words = name.trim().split(/\s+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  const found = letters.map((word) => Array.from(word ?? "")[0] ?? "").join("");
  return (found === "" ? number.slice(-2) : found).toUpperCase();
}

export const PRESENCE: Record<string, string> = {
  available: "Available",
  ringing: "Ringing",
  in_call: "In a call",
  away: "Away",
  dnd: "Do not disturb",
  offline: "Offline",
};

export function sentence(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : "That did not work.";
}
