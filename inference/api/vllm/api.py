"""The routes at the site's root, with their permissions."""

from ninja import NinjaAPI, Router

from inference.api.http import errors
from inference.api.http.auth import Caller
from inference.api.openai.rerank import rerank
from inference.api.vllm import tokenizer

# No docs page: ninja's would fetch its scripts from another site.
api = NinjaAPI(title="vLLM", urls_namespace="vllm", auth=Caller(), docs_url=None, openapi_url=None)
errors.handle_all(api)
api.add_router("", tokenizer.router, auth=Caller("chat"))
_rerank = Router()
for _path in ("/rerank", "/v2/rerank"):  # Cohere's clients add the version to the address they are given
    _rerank.post(_path)(rerank)
api.add_router("", _rerank, auth=Caller("embeddings"))
