"""Requests that are wrong in every way a body can be wrong: refused with a word and the field, never with 500."""
import json
import unittest

from api_client import Client, user
from functional.test_roles import filled, operations
from office import Office

BROKEN = [b"{", b"[]", b"null", b'"text"', b"5", b"{'a':1}", b'{"a":1,}', b"\xff\xfe{}", b'{"a":' * 40 + b"1" + b"}" * 40,
          b"{}{}", b'{"a":"\xc3\x28"}', b'{"a":1e999999}', b"\x00"]
# For each type of the description: values that are none of it.
WRONG = {"string": [5, True, None, [], {}, "\u0000", "x" * 100_000],
         "integer": ["5", 1.5, True, None, -1, 2**70, [], {}],
         "boolean": ["true", 0, None, []],
         "array": ["a", {}, [5], [None], ["x" * 100_000]],
         "object": ["a", [], 5, {"no such field": 1}],
         None: [5]}  # what has a reader of its own: sections of the configuration


class Input(unittest.TestCase):
    def check(self, answer, operation, what):
        status, headers, told = answer
        with self.subTest(operation=operation["operationId"], what=str(what)[:60]):
            self.assertIn(status, (400, 404, 409, 413, 415, 422), told)
            self.assertEqual(set(told) - {"error", "code", "field", "problems"}, set(), told)
            self.assertTrue(told["error"].endswith(".") and told["code"])
            self.assertLess(len(told["error"]), 1000)
        return told

    def test_every_route_with_a_body_refuses_what_is_wrong_with_it(self):
        with Office() as office:
            admin = user(office, "eve")
            before = office.json("extension", "ls")
            for path, method, operation in operations(admin.ask("GET", "/api/openapi.json")[2]):
                if "requestBody" not in operation or operation["x-role"] == "operator":
                    continue
                where = filled(path, None).replace("1999", "1001")
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                for text in BROKEN:
                    told = self.check(admin.ask(method, where, raw=text, headers={"Content-Type": "application/json"}),
                                      operation, text)
                self.check(admin.ask(method, where, {"no such field": 1}), operation, "unknown")
                for name, field in schema["properties"].items():
                    for value in WRONG[field.get("type")]:
                        self.check(admin.ask(method, where, {name: value}), operation, (name, value))
                for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
                    answer = admin.ask(method, where, raw=b"{}", headers={"Content-Type": kind})
                    self.assertEqual(answer[0], 415, operation["operationId"])
            self.assertEqual(office.json("extension", "ls"), before)

    def test_bodies_queries_and_paths_that_are_too_long_or_crooked(self):
        with Office() as office:
            admin = user(office, "eve")
            large = json.dumps({"number": "1" * (1 << 20)}).encode()
            answer = admin.ask("POST", "/api/extensions", raw=large, headers={"Content-Type": "application/json"})
            self.assertEqual(answer[0], 413)
            for path, expected in (("/api/extensions/%ff%fe", 404), ("/api/extensions/%00", 404), ("/api/extensions/" + "1" * 300, 404),
                                   ("/api/extensions/..%2f..%2fstatus", 404), ("/api/cdr?limit=0", 400),
                                   ("/api/cdr?limit=1&limit=2", 400), ("/api/cdr?cursor=x", 400), ("/api/cdr?%ff=1", 400),
                                   ("/api/audit?cursor=-1", 400), ("/api/audit?who=%00", 400), ("/api/nothing", 404)):
                with self.subTest(path=path):
                    self.assertEqual(admin.ask("GET", path)[0], expected)
            status, headers, told = admin.ask("PATCH", "/api/extensions/1001", {})
            self.assertEqual((status, headers["allow"]), (405, "GET, PUT, DELETE"))

    def test_credentials_that_are_none(self):
        with Office() as office:
            for headers in ({"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}, {"Authorization": "Bearer bwt_x"},
                            {"Authorization": "Bearer bwk_" + "A" * 43}, {"X-API-Key": "\u00e4" * 10}, {"X-API-Key": "x" * 5000},
                            {"Cookie": "bellwire_session=abc; bellwire_session=def"}, {"Cookie": "=;;;=" * 50}):
                with self.subTest(headers=str(headers)[:50]):
                    self.assertEqual(Client(office, headers=headers).ask("GET", "/api/me")[0], 401)


if __name__ == "__main__":
    unittest.main()
