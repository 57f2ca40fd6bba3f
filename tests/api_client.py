"""The API over HTTP, as an integrator's program uses it."""
import http.client
import json
import time


class Client:
    """One login: a token, an API key, or none. A connection per request, so that any thread may use it."""

    def __init__(self, office, token=None, headers=None, source=None):
        self.office = office
        self.source = (source, 0) if source else None  # the address it comes from
        self.headers = dict(headers or {})
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method, path, body=None, headers=None, raw=None):
        """(status, headers, JSON or text); header names in lower case. Who is logged in and asks too much waits as told."""
        until = time.monotonic() + 60
        while True:
            answer = self.ask_once(method, path, body, headers, raw)
            limited = answer[0] == 429 and "authorization" in map(str.lower, self.headers)
            if not limited or answer[2].get("code") != "rate_limited" or time.monotonic() > until:
                return answer
            time.sleep(int(answer[1]["retry-after"]))

    def ask_once(self, method, path, body=None, headers=None, raw=None):
        connection = http.client.HTTPConnection(self.office.host, self.office.http, timeout=60, source_address=self.source)
        try:
            wanted = {**self.headers, **(headers or {})}
            data = raw
            if body is not None:
                data = json.dumps(body)
                wanted.setdefault("Content-Type", "application/json")
            connection.request(method, path, data, wanted)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            if told.get("content-type", "").startswith("text/event-stream"):
                return answer.status, told, ""  # has no end
            text = answer.read().decode()
            if told.get("content-type", "").startswith("application/json"):
                return answer.status, told, json.loads(text)
            return answer.status, told, text
        finally:
            connection.close()

    def log_in(self, username, password, **more):
        return self.ask("POST", "/api/login", {"username": username, "password": password, **more})


def user(office, name, role="admin"):
    """A new user of that role, logged in."""
    made = office.json("user", "add", name, "--role", role)
    return login(office, name, made["password"])


def login(office, name, password):
    status, _, answer = Client(office).log_in(name, password)
    if status != 200:
        raise AssertionError(f"{name} cannot log in: {status} {answer}")
    return Client(office, answer["token"])
