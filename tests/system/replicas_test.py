"""Two servers on one database and one token act as one."""

import unittest

import openssl
from clients import RawClient, new_request_id
from deployment import DeploymentTest, spiffe_id
from tokens import JoinToken


class ReplicasTest(DeploymentTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deployment.add_server().start()

    def setUp(self):
        self.first, self.second = (self.enterContext(RawClient(self.deployment, server))
                                   for server in self.deployment.servers)

    def new_request(self, key=None):
        key = key or openssl.new_key(self.deployment.new_folder())
        return openssl.der_of_csr(openssl.new_csr(self.deployment.new_folder(), key))

    def new_token(self, path):
        return JoinToken.parse(self.deployment.new_token(path))

    def race(self, *enrollments):
        """Sends one request to each server at once; returns the answers in the order of the servers."""
        clients = [self.first, self.second]
        for client, enrollment in zip(clients, enrollments):
            client.begin_enroll(*enrollment)
        return [client.answer() for client in clients]

    def test_each_replica_has_its_own_certificate(self):
        shown = [self.deployment.shown_certificate(server) for server in self.deployment.servers]
        self.assertEqual(len({openssl.public_key(file) for file in shown}), 2)
        self.assertEqual(len({openssl.serial(file) for file in shown}), 2)

    def test_a_token_from_one_replica_works_at_the_other(self):
        self.deployment.register("replicas/bot")
        token = self.new_token("replicas/bot")._replace(address=self.deployment.servers[1].address)
        folder = self.deployment.new_folder()
        done = self.deployment.cli("cert", "enroll", "--token-file", "-", "--out", folder,
                                   input=token.text())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(openssl.verify(folder).returncode, 0)
        self.assertEqual((folder / "server").read_text().strip(), token.address)
        self.deployment.cli("cert", "renew", folder, check=True)

    def test_a_token_works_only_once_across_replicas(self):
        self.deployment.register("replicas/race")
        for _ in range(10):
            token = self.new_token("replicas/race")
            answers = self.race((token, self.new_request()), (token, self.new_request()))
            self.assertEqual(sorted((answer.code, answer.rule) for answer in answers),
                             [("OK", ""), ("PERMISSION_DENIED", "join-token.used")])

    def test_a_retry_at_the_other_gets_the_same_certificate(self):
        self.deployment.register("replicas/retry")
        token, csr, id = self.new_token("replicas/retry"), self.new_request(), new_request_id()
        answers = self.race((token, csr, id), (token, csr, id))
        answers.append(self.first.enroll(token, csr, id))
        self.assertEqual([answer.code for answer in answers], ["OK"] * 3, answers)
        self.assertEqual(len({answer.issued["certificate"] for answer in answers}), 1)

    def test_one_key_belongs_to_one_agent_across_replicas(self):
        for path in ["replicas/left", "replicas/right"]:
            self.deployment.register(path)
        for _ in range(5):
            csr = self.new_request()
            answers = self.race((self.new_token("replicas/left"), csr),
                                (self.new_token("replicas/right"), csr))
            self.assertEqual(sorted((answer.code, answer.rule) for answer in answers),
                             [("ALREADY_EXISTS", "key.in-use"), ("OK", "")])

    def test_a_change_at_one_replica_is_visible_at_the_other(self):
        agent = {"spiffe_id": spiffe_id("replicas/news")}
        at = [self.enterContext(RawClient(self.deployment, server,
                                          identity=self.deployment.operator))
              for server in self.deployment.servers]
        registered = at[1].call("agentpki.v1.RegistryService/RegisterAgent",
                                {"agent": agent | {"owner": "test"}})
        self.assertEqual(registered.code, "OK", registered)
        self.assertEqual(at[0].call("agentpki.v1.RegistryService/GetAgent", agent).code, "OK")
        token = at[0].call("agentpki.v1.RegistryService/CreateJoinToken", agent).response
        revoked = at[1].call("agentpki.v1.RegistryService/RevokeJoinToken", {
            "hierarchy": "acme/test", "id": token["join_token"]["id"]})
        self.assertEqual(revoked.code, "OK", revoked)
        answer = self.first.enroll(JoinToken.parse(token["token"]), self.new_request())
        self.assertEqual(answer.rule, "join-token.revoked")

    def test_one_replica_keeps_serving_when_the_other_is_killed(self):
        self.deployment.register("replicas/survivor")
        self.deployment.servers[0].kill()
        try:
            at = self.enterContext(RawClient(self.deployment, self.deployment.servers[1],
                                             identity=self.deployment.operator))
            token = at.call("agentpki.v1.RegistryService/CreateJoinToken",
                            {"spiffe_id": spiffe_id("replicas/survivor")}).response["token"]
            answer = self.second.enroll(JoinToken.parse(token), self.new_request())
            self.assertEqual(answer.code, "OK", answer)
        finally:
            self.deployment.servers[0].start()


if __name__ == "__main__":
    unittest.main()
