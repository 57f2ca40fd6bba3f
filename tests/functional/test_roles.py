"""Every route as every role and as nobody, from the description the server gives of itself."""
import unittest

from api_client import Client, login, user
from office import Office, password

OWN = "1001"
ROLES = ("nobody", "user", "supervisor", "admin")
ORDER = {"anyone": 0, "user": 1, "supervisor": 2, "admin": 3, "operator": 4}


def filled(path, own):
    """The path with its parameters: our own extension, or what nobody has."""
    for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        path = path.replace("{" + name + "}", OWN if own and name == own else "1999")
    return path


def operations(description):
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


class Roles(unittest.TestCase):
    def test_each_role_reaches_what_the_table_says_and_nothing_else(self):
        with Office() as office:
            clients = {"nobody": Client(office), "user": login(office, OWN, password(OWN)),
                       "supervisor": user(office, "sue", "supervisor"), "admin": user(office, "eve")}
            description = clients["admin"].ask("GET", "/api/openapi.json")[2]
            asked = 0
            for path, method, operation in operations(description):
                if operation["operationId"] in ("login", "logout"):
                    continue  # would end the sessions of this test
                needed = ORDER[operation["x-role"]]
                for role in ROLES:
                    own = operation.get("x-own")
                    # A body that the table refuses: permission is looked at before, and nothing changes.
                    body = None
                    if method != "GET":
                        body = {"no such field": 1}
                        if own:
                            body[own] = OWN
                    status = clients[role].ask(method, filled(path, own), body)[0]
                    asked += 1
                    with self.subTest(operation=operation["operationId"], role=role):
                        if ROLES.index(role) >= needed:
                            self.assertNotIn(status, (401, 403))
                        else:
                            self.assertEqual(status, 401 if role == "nobody" else 403)
            self.assertGreater(asked, 4 * 20)

    def test_a_user_is_refused_what_belongs_to_others(self):
        with Office() as office:
            alice = login(office, OWN, password(OWN))
            description = alice.ask("GET", "/api/openapi.json")[2]
            refused = 0
            for path, method, operation in operations(description):
                own = operation.get("x-own")
                if not own:
                    continue
                body = None if method == "GET" else {own: "1002"}
                status, _, answer = alice.ask(method, path.replace("{" + own + "}", "1002"), body)
                self.assertEqual((status, answer["code"]), (403, "forbidden"), path)
                self.assertNotIn("1002", answer["error"])
                refused += 1
            self.assertGreaterEqual(refused, 3)

    def test_a_key_needs_the_scope_of_each_route(self):
        with Office() as office:
            admin = user(office, "eve")
            description = admin.ask("GET", "/api/openapi.json")[2]
            narrow = admin.ask("POST", "/api/keys", {"name": "n", "role": "admin", "scopes": ["self"]})[2]["key"]
            wide = admin.ask("POST", "/api/keys", {"name": "w", "role": "admin", "scopes": ["*"]})[2]["key"]
            for path, method, operation in operations(description):
                scope = operation.get("x-scope")
                if operation["x-role"] in ("anyone", "operator") or operation["operationId"] == "logout":
                    continue
                body = None if method == "GET" else {"no such field": 1}
                told = [Client(office, key).ask(method, filled(path, None), body)[0] for key in (narrow, wide)]
                with self.subTest(operation=operation["operationId"]):
                    self.assertEqual(told[0] == 403, scope != "self")
                    self.assertEqual(told[1] == 403, scope is None)


if __name__ == "__main__":
    unittest.main()
