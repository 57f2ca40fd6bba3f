// Requests to the server. With a token each carries it; without one the browser adds the session cookie of the page.

/** The server's refusal, in its own sentence; status 0: it could not be reached. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  constructor(
    readonly status: number,
    readonly code: string,
    sentence: string,
    /** Seconds to wait before another attempt, where the server says so. */
    readonly retryAfter?: number,
  ) {
    super(sentence);
  }
}

export interface Login {
  name: string;
  role: "admin" | "supervisor" | "user";
  extension: string | null;
}

const REQUEST_MS = 30_000;

export class Api {
  constructor(
    /** "https://pbx.example.com", or empty for the server this page came from. */
    readonly server: string = "",
    private token: string | null = null,
  ) {}

  headers(): Record<string, string> {
    return this.token === null ? {} : { Authorization: `Bearer ${this.token}` };
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.server + path, {
      ...init,
      headers: { ...this.headers(), ...(init.headers as Record<string, string> | undefined) },
      credentials: this.token === null ? "same-origin" : "omit",
      cache: "no-store",
    });
  }

  get<T>(path: string): Promise<T> {
    return this.ask<T>("GET", path);
  }
  post<T = unknown>(path: string, body: object = {}, key?: string): Promise<T> {
    return this.ask<T>("POST", path, body, key);
  }
  delete<T = unknown>(path: string): Promise<T> {
    return this.ask<T>("DELETE", path);
  }

  /** By cookie, or by a token that this object keeps and nobody else sees. */
  async logIn(username: string, password: string, by: "cookie" | "token"): Promise<Login> {
    this.token = null;
    const answer = await this.post<Login & { token?: string }>("/api/login", {
      username,
      password,
      ...(by === "cookie" ? { cookie: true } : {}),
    });
    this.token = answer.token ?? null;
    return { name: answer.name, role: answer.role, extension: answer.extension };
  }

  async logOut(): Promise<void> {
    await this.post("/api/logout");
    this.token = null;
  }

  me(): Promise<Login> {
    return this.get<Login>("/api/me");
  }

  private async ask<T>(method: string, path: string, body?: object, key?: string): Promise<T> {
    const headers: Record<string, string> = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (key !== undefined) headers["Idempotency-Key"] = key;
    let response: Response;
    try {
      response = await this.fetch(path, {
        method,
        headers,
        signal: AbortSignal.timeout(REQUEST_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch {
      throw new Refusal(0, "unreachable", "The server cannot be reached. Is the network up?");
    }
    const answer = (await response.json().catch(() => ({}))) as T & { error?: string; code?: string };
    if (response.ok) return answer;
    const wait = Number(response.headers.get("Retry-After"));
    throw new Refusal(
      response.status,
      answer.code ?? "refused",
      answer.error ?? `The server refused with status ${response.status}.`,
      wait > 0 ? wait : undefined,
    );
  }
}
