"""The routes below /api, with their permissions and the form of their errors."""

from ninja import NinjaAPI

from inference.api.http import errors
from inference.api.operator import (
    accounts,
    connect,
    downloads,
    gguf,
    hub,
    keys,
    log,
    models,
    pool,
    profiles,
    quantisations,
    requests,
    site_health,
    upstreams,
    usage,
)
from inference.api.operator.auth import Operator

# No docs page: ninja's would fetch its scripts from another site.
api = NinjaAPI(title="Control", urls_namespace="control", auth=Operator(), docs_url=None, openapi_url=None)
errors.handle_all(api)
for part in (models, profiles, pool, usage, log, site_health, requests, keys, accounts, connect, upstreams):
    api.add_router("", part.router)
_downloader = Operator(right="inference.add_download", look="inference.view_download")
for router in (quantisations.router, downloads.router, hub.router, gguf.router):
    api.add_router("", router, auth=_downloader)
