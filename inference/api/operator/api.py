"""The routes below /api, with their permissions and the form of their errors."""

from ninja import NinjaAPI

from inference.api.http import errors
from inference.api.operator import (
    accounts,
    active_requests,
    captures,
    connect,
    downloads,
    gguf,
    hub,
    keys,
    log,
    model_settings,
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
_parts = (
    *(models, model_settings, profiles, pool, usage, log, site_health, active_requests, requests, captures),
    *(keys, accounts, connect, upstreams),
)
for part in _parts:
    api.add_router("", part.router)
_downloader = Operator(right="inference.add_download", look="inference.view_download")
for router in (quantisations.router, downloads.router, hub.router, gguf.router):
    api.add_router("", router, auth=_downloader)
