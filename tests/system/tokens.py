"""The fields of a join token, for tests that forge and redirect tokens (ca/model/join_token.h)."""

import base64
import hashlib
from typing import NamedTuple

PREFIX = "apki1_"


class JoinToken(NamedTuple):
    address: str
    root_fingerprint: bytes
    secret: bytes

    @classmethod
    def parse(cls, text):
        whole = base64.urlsafe_b64decode(text.removeprefix(PREFIX) + "==")
        return cls(whole[68:].decode(), whole[4:36], whole[36:68])

    def text(self):
        rest = self.root_fingerprint + self.secret + self.address.encode()
        whole = hashlib.sha256(rest).digest()[:4] + rest
        return PREFIX + base64.urlsafe_b64encode(whole).decode().rstrip("=")

    @property
    def id(self):
        return hashlib.sha256(self.secret).hexdigest()[:16]
