"""The fake site with an OpenID provider: `python -m tests.playground.openid_site PORT ISSUER` serves it."""

import os
import sys

import tests.environment  # noqa: F401 - the settings every test runs under
from tests.openid_provider import CLIENT, SECRET

OWN = {
    "ISSUER": sys.argv[2],
    "NAME": "Team",
    "CLIENT_ID": CLIENT,
    "CLIENT_SECRET": SECRET,
    "ROLES": "users=chat,operators=manage",
}
os.environ |= {f"MLX_SERVER_OIDC_{name}": value for name, value in OWN.items()}
os.environ["MLX_SERVER_API_KEY"] = "a key, so that visitors have to sign in"

from tests.playground.fake_site import application  # noqa: E402, I001 - it sets Django up

if __name__ == "__main__":
    from daphne.server import Server
    from django.conf import settings

    from tests.migrated_database import begin_with_tables

    begin_with_tables(settings.CONFIG.data_dir)
    Server(application, endpoints=[f"tcp:port={sys.argv[1]}:interface=127.0.0.1"]).run()
