"""The server's description of itself: a linter finds no error in it, and every operation of it works as described."""
import json
import re
import subprocess
import unittest

import node_packages
from api_client import Client, user
from functional.test_roles import operations
from office import Office, password
from page import description
from receiver import Receiver
from softphone import Phone


def objections(value, schema, components, where="answer"):
    """What of the value the schema does not say; as much of JSON Schema as the description uses."""
    if "$ref" in schema:
        schema = components["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    kinds = schema.get("type")
    if kinds is None:
        return
    kinds = [kinds] if isinstance(kinds, str) else kinds
    is_kind = {"null": value is None, "boolean": isinstance(value, bool), "object": isinstance(value, dict),
               "array": isinstance(value, list), "string": isinstance(value, str),
               "integer": isinstance(value, int) and not isinstance(value, bool),
               "number": isinstance(value, (int, float)) and not isinstance(value, bool)}
    if not any(is_kind[kind] for kind in kinds):
        yield f"{where}: {value!r} is no {kinds}"
    elif isinstance(value, dict):
        properties = schema.get("properties", {})
        for name in schema.get("required", []):
            if name not in value:
                yield f"{where}.{name} is missing"
        for name, item in value.items():
            if name in properties:
                yield from objections(item, properties[name], components, f"{where}.{name}")
            elif schema.get("additionalProperties") is False:
                yield f"{where}.{name} is not described"
    elif isinstance(value, list):
        for item in value:
            yield from objections(item, schema["items"], components, where + "[]")
    elif isinstance(value, str):
        if len(value) > schema.get("maxLength", len(value)):
            yield f"{where} is too long"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{where}: {value!r} does not match {schema['pattern']}"


def bodies(office, receiver):
    """What to ask of each operation that takes a body or a parameter; whoever adds one to the table says it here.

    A parameter "=name" is the id that the answer of that operation gave.
    """
    hook = {"url": receiver.url(), "events": ["call.*"], "secret": "Hush-Hush-Hush-1"}
    return {
        "addWebhook": ("", hook),
        "changeWebhook": ("=addWebhook", {"enabled": True}),
        "testWebhook": ("=addWebhook", None),
        "listDeliveries": ("=addWebhook", None),
        "replayWebhook": ("=addWebhook", {}),
        "rotateWebhookSecret": ("=addWebhook", {}),
        "removeWebhook": ("=addWebhook", None),
        "removeWebhooksByUrl": ("", None),
        "login": ("", {"username": "1001", "password": password("1001")}),
        "addUser": ("", {"name": "nina", "role": "supervisor"}),
        "changeUser": ("nina", {"role": "user"}),
        "removeUser": ("nina", None),
        "addKey": ("", {"name": "crm", "scopes": ["calls:read"]}),
        "removeKey": ("=addKey", None),
        "addExtension": ("", {"number": "1009", "name": "Nina"}),
        "showExtension": ("1009", None),
        "changeExtension": ("1009", {"ring_seconds": 20}),
        "removeExtension": ("1009", None),
        "listPhonesOfExtension": ("1001", None),
        "showPhoneFile": ("icon.svg", None),
        "startCall": ("", {"from": "1001", "to": "1002"}),
        "showCall": ("=startCall", None),
        "hangUpCall": ("", {"call_id": "=startCall"}),
        "setPresence": ("", {"extension": "1001", "status": "away"}),
        "openBrowserSession": ("", {"extension": "1001"}),
        "offerFromBrowser": ("", {"session_id": "=openBrowserSession", "sdp": description()}),
        "answerFromBrowser": ("", {"session_id": "=openBrowserSession", "sdp": description(setup="active")}),
        "addBrowserCandidate": ("", {"session_id": "=openBrowserSession", "candidate": {"candidate": ""}}),
        "dialFromBrowser": ("", {"session_id": "=openBrowserSession", "target_extension": "*43"}),
        "showBrowserSession": ("=openBrowserSession", None),
        "closeBrowserSession": ("=openBrowserSession", None),
        "hangUpInBrowser": ("=openBrowserSession", {}),
        "pressInBrowser": ("=openBrowserSession", {"digits": "1"}),
        "restartBrowser": ("=openBrowserSession", {}),
        "tellBrowserFigures": ("=openBrowserSession", {"packets_sent": 1, "packets_received": 1, "packets_lost": 0}),
        "changeConfiguration": ("", {"events": {"retention_days": 29}}),
        "backUp": ("", {"file": str(office.folder / "copy.db")}),
    }


# Those that others are needed for come first, those that end something last.
FIRST = ["login", "addUser", "addKey", "addExtension", "addWebhook", "startCall", "listCalls", "openBrowserSession",
         "offerFromBrowser", "dialFromBrowser", "restartBrowser", "answerFromBrowser"]
# Need two phones that talk: functional/test_operations.py.
# Need another page or phone: functional/test_browser_calls.py.
# Needs somebody who is locked out: functional/test_desk.py.
ELSEWHERE = ["liftLockout", "holdCall", "resumeCall", "transferCall", "acceptInBrowser", "rejectInBrowser", "holdInBrowser",
             "resumeInBrowser", "transferInBrowser"]
LAST = ["hangUpInBrowser", "closeBrowserSession", "undoConfiguration", "hangUpCall", "listCallRecords", "removeExtension", "removeWebhook", "removeWebhooksByUrl", "removeUser", "removeKey", "backUp", "logout"]


class Description(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.office = Office(config="features:\n  webhooks:\n    allow_networks: ['127.0.0.0/8']\n")
        cls.office.start()
        cls.addClassCleanup(cls.office.__exit__, None)
        cls.admin = user(cls.office, "eve")
        cls.description = cls.admin.ask("GET", "/api/openapi.json")[2]

    def test_spectral_finds_no_error(self):
        node = node_packages.installed()
        rules = node / "spectral.yml"
        file = self.office.folder / "openapi.json"
        file.write_text(json.dumps(self.description))
        done = subprocess.run(["node", "node_modules/@stoplight/spectral-cli/dist/index.js", "lint", str(file), "-r",
                               str(rules), "-F", "error", "-f", "json", "--quiet"], cwd=node, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        found = json.loads(done.stdout or "[]")
        errors = [f"{e['code']} {'.'.join(map(str, e['path']))}: {e['message']}" for e in found if e["severity"] == 0]
        self.assertEqual([], errors, "\n".join(errors))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_operation_answers_as_described(self):
        office, components = self.office, self.description["components"]
        everything = {o["operationId"]: (p, m, o) for p, m, o in operations(self.description)}
        middle = [name for name in everything if name not in FIRST + LAST + ELSEWHERE]
        made = {}
        with Phone("1001", office) as alice, Phone("1002", office) as bob, Receiver() as receiver:
            alice.register()
            bob.register()
            wanted = bodies(office, receiver)
            for name in FIRST + middle + LAST:
                path, method, operation = everything[name]
                parameter, body = wanted.get(name, ("", None))
                parameter = made.get(parameter[1:], parameter)
                body = body and {field: made[value[1:]] if isinstance(value, str) and value.startswith("=") else value
                                 for field, value in body.items()}
                with self.subTest(operation=name):
                    answer = self.asked(re.sub(r"\{\w+\}", parameter, path), method, operation, body, receiver)
                    media, content = next(iter(operation["responses"]["200"]["content"].items()))
                    if media == "application/json":
                        self.assertEqual(list(objections(answer, content["schema"], components)), [])
                        if isinstance(answer, dict):
                            made[name] = answer.get("call_id") or answer.get("id") or answer.get("subscription", {}).get("id") \
                                or answer.get("session", {}).get("session_id")

    def asked(self, path, method, operation, body, receiver):
        if operation["x-role"] == "operator":
            return json.loads(self.office.cli("backup", body["file"], "--json"))
        if body is None and "requestBody" in operation:
            body = {}
        needed = [p for p in operation.get("parameters", []) if p["in"] == "query" and p["required"]]
        if any(p["name"] == "url" for p in needed):
            path += "?url=" + receiver.url("/other")
            self.admin.ask("POST", "/api/webhooks", {"url": receiver.url("/other"), "events": ["*"]})
        status, headers, answer = self.admin.ask(method, path, body)
        self.assertEqual(status, 200, answer)
        self.assertIn("ratelimit-limit", headers)
        return answer

    def test_the_page_has_no_script_in_it_and_may_run_none(self):
        status, headers, page = Client(self.office).ask("GET", "/docs")
        self.assertEqual(status, 200)
        self.assertTrue(headers["content-type"].startswith("text/html"))
        policy = headers["content-security-policy"]
        self.assertIn("default-src 'self'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertEqual(re.findall(r"<script[^>]*>[^<]", page) + re.findall(r"\son\w+=", page) + re.findall(r"https?://", page), [])
        for path in re.findall(r'(?:src|href)="([^"]+)"', page):
            status, headers, text = Client(self.office).ask("GET", path)
            self.assertEqual(status, 200)
            self.assertEqual(headers["x-content-type-options"], "nosniff")


if __name__ == "__main__":
    unittest.main()
